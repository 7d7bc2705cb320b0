"""The commands of `gatekey`: one file per group, imported only when its command was asked for."""
