"""The product in a test: stores, consoles, servers and processes, with what drives and inspects them."""
