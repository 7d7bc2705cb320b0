"""The installed command in a real terminal, from the first key to a clean exit."""
