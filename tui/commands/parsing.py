"""The parser of the command line: global options, types of arguments, safe error messages."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeAlias
from urllib.parse import urlsplit

from store.text import sanitize_lines
from tui.commands import streams
from tui.store_location import DATABASE_VARIABLE, FILES_VARIABLE, KEY_FILE_VARIABLE, NO_FILES, Options, files_are_off
from tui.version import VERSION

USAGE_ERROR: Final = 2
_NEGATIVE: Final = re.compile(r"-[\d$.]")
_PASSWORD_IN_URL: Final = (
    f"leave the password out of --database, because other users can list command lines; "
    f"put the address into {DATABASE_VARIABLE}, or the password into ~/.pgpass"
)


class Version(argparse.Action):
    """Prints the version, and ends the command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        streams.print_data(f"gatekey {VERSION}")
        parser.exit()


class Parser(argparse.ArgumentParser):
    """A parser that accepts the global options in any position, and sanitizes its error messages."""

    names_account: ClassVar[bool] = True
    """False if the account is not named by an option, because its person has signed in already."""
    late_epilog: Callable[[], str] | None = None
    """Returns the epilog of the help, if that needs an import that parsing does not."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)
        self.add_global_options()

    def add_global_options(self) -> None:
        data = self.add_argument_group("which data")
        data.add_argument(
            "--database",
            metavar="URL",
            default=argparse.SUPPRESS,
            help=f"database URL or SQLite file (also {DATABASE_VARIABLE})",
        )
        data.add_argument(
            "--key-file",
            metavar="FILE",
            default=argparse.SUPPRESS,
            help=f"file of the key that opens stored secrets (also {KEY_FILE_VARIABLE})",
        )
        data.add_argument(
            "--server",
            metavar="URL",
            default=argparse.SUPPRESS,
            help="an account on this New API server, in place of a database",
        )
        data.add_argument(
            "--insecure-http",
            action="store_true",
            default=argparse.SUPPRESS,
            help="accept a server without TLS: others can read what is sent",
        )
        data.add_argument(
            "--no-files",
            action="store_true",
            default=argparse.SUPPRESS,
            help=f"never ask for a path, nor write a file at a person's word (also {FILES_VARIABLE}={NO_FILES})",
        )

    def format_help(self) -> str:
        if self.late_epilog is not None:
            self.epilog = self.late_epilog()
        return super().format_help()

    def print_help(self, file: Any = None) -> None:
        """Print the help. Raises `OutputFailed`, where argparse would go on, and BrokenPipeError."""
        if file is not None:
            super().print_help(file)
            return
        streams.print_data(self.format_help().removesuffix("\n"))
        streams.flush()

    def error(self, message: str) -> NoReturn:
        """Print the usage and one line, and end with status 2. Raises SystemExit."""
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"gatekey: {sanitize_lines(message, 2000)}\n")


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Parser]  # noqa: SLF001 - argparse names this type nowhere else
else:
    Commands = Any
"""The result of `add_subparsers`, to which a module's `add` adds its commands."""


Run: TypeAlias = Callable[[argparse.Namespace, Options], int]
"""Carries a command out; returns its exit status."""


def add_list(actions: Commands, things: str, run: Run) -> None:
    """Add `list [--json]` to `actions`. `things` completes "list every"."""
    parser = actions.add_parser("list", help=f"list every {things}")
    parser.add_argument("--json", action="store_true", help="as one JSON document")
    parser.set_defaults(run=run)


def add_account_action(actions: Commands, command: str, run: Run, help_text: str) -> Parser:
    """Add `command NAME`, an action on one account, to `actions`."""
    parser = actions.add_parser(command, help=help_text)
    parser.add_argument("name", metavar="NAME")
    parser.set_defaults(run=run)
    return parser


def port(text: str) -> int:
    """A TCP port; 0 lets the system choose one. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a whole number from 0 to 65535")
    return int(text)


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """An argparse type for a whole number from `lowest` to `highest`. It raises ArgumentTypeError."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,19}", text) or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"enter a whole number from {lowest} to {highest}")
        return int(text)

    return read


def protect_negatives(arguments: Sequence[str]) -> list[str]:
    """`arguments` with a space before each negative amount, such as `-5`, so that argparse takes it for no option.

    No option of Gatekey starts with a digit, and every reader of an amount strips spaces.
    """
    return [f" {argument}" if _NEGATIVE.match(argument) else argument for argument in arguments]


def options_from(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ
) -> Options:
    """The options of a command line. Raises SystemExit for a password in `--database`."""
    database: str | None = getattr(arguments, "database", None)
    if database is not None and has_password(database):
        parser.error(_PASSWORD_IN_URL)
    key_file = getattr(arguments, "key_file", None) or environ.get(KEY_FILE_VARIABLE)
    return Options(
        database=database or environ.get(DATABASE_VARIABLE) or None,
        key_file=Path(key_file) if key_file else None,
        demo=getattr(arguments, "demo", False),
        no_files=files_are_off(getattr(arguments, "no_files", False), environ),
        server=getattr(arguments, "server", None),
        insecure_http=getattr(arguments, "insecure_http", False),
    )


def has_password(url: str) -> bool:
    """True if a database URL has a password in it."""
    try:
        parts = urlsplit(url)
        return parts.password is not None or "password=" in parts.query
    except ValueError:
        return False
