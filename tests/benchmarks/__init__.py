"""What the console costs, as ratios to a bare Textual application. See README.md."""
