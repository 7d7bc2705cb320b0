"""The HTTP client of the model server: requests, kept connections, and the errors that it reports."""
