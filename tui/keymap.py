"""keys"""

UNBOUND = "unbound"
