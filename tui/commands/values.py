"""The VALUE of a `set` command: read from the command line or standard input, and shown as text."""

import argparse

from store.errors import InvalidSetting
from store.text import sanitize
from tui.commands import streams
from tui.commands.parsing import Parser

Shown = bool | int | str | list[str] | tuple[str, ...] | dict[str, bool | str]
"""A setting in JSON. Money is a string of dollars, because most readers turn a JSON number into a float."""


def add(parser: Parser) -> None:
    """Add the arguments that `read` uses to `parser`."""
    parser.add_argument("value", metavar="VALUE", nargs="?")
    parser.add_argument("--value-stdin", action="store_true", help="read the value from standard input")


def read(arguments: argparse.Namespace, name: str, *, is_secret: bool) -> str:
    """The new value of setting `name`.

    Raises `InvalidSetting` for a secret on the command line, `InvalidInput` for none on standard input, and
    SystemExit unless there is exactly one value.
    """
    if arguments.value_stdin == (arguments.value is not None):
        arguments.parser.error("give the value either as VALUE or with --value-stdin")
    if arguments.value_stdin:
        return streams.read_secret(name)
    if is_secret and arguments.value:
        raise InvalidSetting(
            f"{name} is a secret, and other users can list command lines. Send it to standard input (--value-stdin).",
            field=name,
        )
    typed: str = arguments.value
    return typed


def in_words(value: Shown) -> str:
    """A value on one line, sanitized, such as `true`, `1.00` or `set (…a1b2)`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return sanitize(f"set ({value['hint']})" if value["hint"] else "set") if value["is_set"] else "not set"
    if isinstance(value, list | tuple):
        return sanitize(", ".join(value))
    return sanitize(value)
