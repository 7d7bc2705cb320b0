"""Schema changes, applied by `gatekey admin upgrade` and once on an empty database."""
