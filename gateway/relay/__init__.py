"""The model relay: OpenAI's API in front of the administrator's model server, priced, charged and logged."""
