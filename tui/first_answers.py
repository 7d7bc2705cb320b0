"""Answers to `gatekey --version` and `gatekey --help`, given before the command line is imported.

argparse alone takes as long as the start of the interpreter. So the help stands in `help.txt`, which
`docs/help_text.py` writes from the parser; a test compares the two. This module imports nothing but `sys` and `os`.
"""

import os
import sys

TYPE_CHECKING = False  # `typing` would take longer than the answer
if TYPE_CHECKING:
    from collections.abc import Sequence

HELP_COLUMNS = 80
"""The width for which `help.txt` is written. The parser itself answers for a narrower terminal."""


def answered(words: "Sequence[str]") -> bool:
    """Print the answer if the whole command line is one of these questions; returns whether it was printed.

    If it cannot be written, the command line says so: it prints the same.
    """
    if len(words) != 1 or sys.stdout is None:
        return False
    if words[0] == "--version":
        from tui.version import VERSION

        return _is_written(f"gatekey {VERSION}\n")
    if words[0] in ("-h", "--help") and _is_wide_enough():
        # pathlib takes longer to import than the page to print.
        path = f"{__file__.rpartition(os.sep)[0]}{os.sep}help.txt"
        with open(path, encoding="utf-8") as page:  # noqa: PTH123
            return _is_written(page.read())
    return False


def _is_wide_enough() -> bool:
    """True unless a terminal is narrower than the page, or COLUMNS asks for a width."""
    if os.environ.get("COLUMNS"):
        return False
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):  # no terminal
        return True
    return columns == 0 or columns >= HELP_COLUMNS


def _is_written(text: str) -> bool:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError):
        return False
    return True
