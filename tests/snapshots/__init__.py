"""Pictures of every state a person can stop in. Each docstring says what to look for."""
