"""The store's rules, one file per topic."""
