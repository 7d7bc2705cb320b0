"""The model relay: OpenAI's API in front of the administrator's model server, with prices, charges and a usage log."""
