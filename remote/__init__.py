"""A client of a New API server: one account that is elsewhere, read and changed over HTTP."""
