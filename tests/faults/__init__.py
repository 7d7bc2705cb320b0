"""Processes killed in the middle, files searched afterwards, and the settings a connection really has."""
