"""`gatekey ssh`: an SSH server whose shell is the console."""
