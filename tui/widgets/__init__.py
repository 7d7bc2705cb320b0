"""Widgets of every screen. Their styles are in styles/base.tcss and styles/forms.tcss, not in DEFAULT_CSS."""
