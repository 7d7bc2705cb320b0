"""The Settings page: its two areas, its six tabs, and their dialogs."""
