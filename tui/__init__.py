"""The terminal: command line, application without screens, the protocols of the account, widgets."""
