"""`--user NAME`, the account of a command, accepted before and after the action."""

import argparse

from tui.commands.parsing import Parser


def add_user(parser: Parser, whose: str) -> None:
    """Add `--user NAME` to a command or one of its actions; `whose` completes "whose"."""
    if not parser.names_account:
        return
    parser.add_argument("--user", metavar="NAME", default=argparse.SUPPRESS, help=f"whose {whose} (required)")


def user_of(arguments: argparse.Namespace, whose: str) -> str:
    """The name given with `--user`. Raises SystemExit without one; `arguments.parser` prints the usage."""
    parser: Parser = arguments.parser
    name: str | None = getattr(arguments, "user", None)
    if not name:
        parser.error(f"say whose {whose}: --user NAME")
    return name
