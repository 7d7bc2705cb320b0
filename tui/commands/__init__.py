"""The commands of `gatekey`, a module each."""
