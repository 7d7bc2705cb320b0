"""A stand-in for a New API server: two builds of it, with the state and the defects that were recorded of them."""
