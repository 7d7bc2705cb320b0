"""The network edge: HTTP API, model relay, notification channels, sign-in providers, passkey page."""
