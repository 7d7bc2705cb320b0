"""The network side: HTTP API, model relay, notification channels, identity providers, passkey page."""
