"""Writes `tui/help.txt`, the answer to `gatekey --help`, from the parser: `python docs/help_text.py`.

A test compares the file with the result.
"""

import os
from pathlib import Path
from typing import Final
from unittest.mock import patch

from tui.command import build_parser
from tui.first_answers import HELP_COLUMNS

TEXT: Final = Path(__file__).parents[1] / "tui" / "help.txt"


def text() -> str:
    """The help of the command line, as argparse writes it for a terminal of `HELP_COLUMNS`."""
    with patch.dict(os.environ, {"COLUMNS": str(HELP_COLUMNS)}):
        return build_parser(()).format_help()


if __name__ == "__main__":
    TEXT.write_text(text(), encoding="utf-8")
