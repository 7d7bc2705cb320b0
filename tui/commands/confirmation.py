"""The question before an act of the administrator that a slip of the fingers must not do."""

import argparse

from tui.commands import streams
from tui.commands.parsing import Parser

UNCHANGED = "Nothing was changed."


def add_confirmation(parser: Parser) -> None:
    """Let `parser` take `--yes`, which answers for scripts."""
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.set_defaults(parser=parser)


def is_confirmed(arguments: argparse.Namespace, question: str, *, answer: str = "yes") -> bool:
    """Whether it was said with `--yes`, or is answered now. Raises SystemExit where nobody can be asked."""
    if arguments.yes:
        return True
    if not streams.is_terminal():
        arguments.parser.error("nobody can be asked here: say --yes if it is meant")
    if streams.confirm(question, answer=answer):
        return True
    streams.print_status(UNCHANGED)
    return False
