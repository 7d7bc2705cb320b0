"""The terminal face: entry point, application, the seam to the account, widgets."""
