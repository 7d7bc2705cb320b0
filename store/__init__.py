"""Truth and rules: tables, money, secrets at rest. Knows no screen and no network."""
