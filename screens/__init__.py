"""Screens, tabs and dialogs, a module each."""
