"""The building blocks of every screen. Their looks live in styles/base.tcss, not beside the code."""
