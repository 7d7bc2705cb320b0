"""The cost of the console, as ratios to a bare Textual application. See README.md."""
