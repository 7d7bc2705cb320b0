"""HTTP client of the administrator's model server: requests, connections, and its error responses."""
