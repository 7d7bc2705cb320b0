"""The confirmation of a command that must not run by mistake."""

import argparse

from tui.commands import streams
from tui.commands.parsing import Parser

UNCHANGED = "Nothing was changed."


def add_confirmation(parser: Parser) -> None:
    """Add `--yes` to `parser`, for scripts."""
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.set_defaults(parser=parser)


def is_confirmed(arguments: argparse.Namespace, question: str, *, answer: str = "yes") -> bool:
    """True if `--yes` was given, or the person answers `answer` now. Raises SystemExit without a terminal."""
    if arguments.yes:
        return True
    if not streams.is_terminal():
        arguments.parser.error("nobody can be asked here: say --yes if it is meant")
    if streams.confirm(question, answer=answer):
        return True
    streams.print_status(UNCHANGED)
    return False
