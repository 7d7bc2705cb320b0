"""A command line that came over SSH: commands of the account that signed in, and no others.

It has the rules and the proofs of the console. No account, no database and no file can be named: what is saved goes
to the drawer, as in a console over SSH.
"""

import argparse
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final

from store.errors import GatekeyError, NotAuthentic, WrongCredentials
from store.text import sanitize
from tui.command import exit_status
from tui.commands import streams
from tui.commands.account_prompts import Prompts
from tui.commands.account_sign_in import CODE_QUESTION, TRIES
from tui.commands.command_account import CommandSession
from tui.commands.parsing import Parser, protect_negatives
from tui.store_location import Options, open_account_store

if TYPE_CHECKING:
    from store.store import Store
    from store.values.drawer import FetchPlace
    from store.values.sign_in import SecondFactorNeeded, SignedIn

FAMILIES: Final = ("account", "settings", "keys", "usage", "wallet")
"""Modules of `tui.commands` whose commands act on one account."""
ALLOWED: Final = frozenset(
    {
        *("account show", "account export", "account delete", "account password"),
        *("account token create", "account token revoke"),
        *("account sessions list", "account sessions end", "account sessions end-others"),
        *("account 2fa enable", "account 2fa codes", "account 2fa disable"),
        *("account passkey list", "account passkey add", "account passkey rename", "account passkey remove"),
        *("account binding list", "account binding add", "account binding remove"),
        *("settings show", "settings set", "settings confirm-email"),
        *("keys list", "keys create", "keys edit", "keys rotate", "keys disable", "keys enable", "keys revoke"),
        *("usage list", "usage totals", "usage export"),
        *("wallet show", "wallet ledger", "wallet export", "wallet redeem", "wallet prices"),
    }
)
"""The commands that may be run. One that is new is refused until it is named here."""
DESCRIPTION: Final = """\
Commands of your own account over SSH, with the rules of the console: ssh HOST
settings show --json. Without a command, ssh HOST opens the console.

Data goes to standard output and talk to standard error; the status is 0 when it was
done, 1 when it was refused or failed, and 2 when the command line was wrong. Where
standard input is not a terminal, each answer is one line of it; ssh -t asks."""
_PROGRAM: Final = "gatekey"
_HELP: Final = frozenset({"help", "-h", "--help"})
_NOT_SIGNED_IN: Final = (
    "A command needs an account: connect with a key that is registered to it, or with its password "
    "(ssh -o PubkeyAuthentication=no)."
)
_ANOTHER_ACCOUNT: Final = "a command over SSH acts on the account that has signed in"
_ANOTHER_PLACE: Final = "a command over SSH acts on the data of this server"
_REFUSED: Final = {
    "--user": _ANOTHER_ACCOUNT,
    "--as": _ANOTHER_ACCOUNT,
    "--passkey": _ANOTHER_ACCOUNT,
    "--provider": _ANOTHER_ACCOUNT,
    "--database": _ANOTHER_PLACE,
    "--key-file": _ANOTHER_PLACE,
    "--demo": _ANOTHER_PLACE,
    "--server": _ANOTHER_PLACE,
    "--insecure-http": _ANOTHER_PLACE,
}
"""Options of the local command line that a person may expect here, and the reason why they are refused."""


class SshParser(Parser):
    """The parser of a command over SSH: it knows no global option."""

    names_account: ClassVar[bool] = False

    def add_global_options(self) -> None:
        for name in _REFUSED:
            self.add_argument(name, action=_Refusal, nargs="?", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


class _Refusal(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, _namespace: Any, _values: Any, option: Any = None) -> None:
        parser.error(f"{_REFUSED[option]}: leave out {option}")


def build_parser() -> SshParser:
    """The parser of the commands that may be run."""
    parser = SshParser(prog=_PROGRAM, usage="ssh HOST COMMAND ...", description=DESCRIPTION)
    commands: Any = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", prog=_PROGRAM)
    for name in FAMILIES:
        import_module(f"tui.commands.{name}").add(commands)
    for family in commands.choices.values():
        # It tells how a user of the machine is let in, and that no password is asked.
        family.description = None
    return parser


def run_command(
    options: Options,
    answer: "SignedIn | SecondFactorNeeded | None",
    line: str,
    announce: Callable[[bytes], None],
    fetch_place: "FetchPlace",
) -> int:
    """Run the command line of a client whose sign-in gave `answer`; returns the exit status.

    Every session ends with the command. `announce` tells the server of one that is opened here. The server, and with it
    the drawer, answers at `fetch_place`.
    """
    streams.prepare()
    try:
        return exit_status(lambda: _run(options._replace(no_files=True), answer, line, announce, fetch_place))
    except SystemExit as end:
        # argparse has said why, or has shown its help.
        return end.code if isinstance(end.code, int) else 0


def _run(
    options: Options,
    answer: "SignedIn | SecondFactorNeeded | None",
    line: str,
    announce: Callable[[bytes], None],
    fetch_place: "FetchPlace",
) -> int:
    parser = build_parser()
    arguments = _parsed(parser, line)
    if arguments is None:
        parser.print_help()
        return 0
    with open_account_store(options, create=False) as store:
        store.sessions.announce = announce
        with _session(store, answer) as signed_in:
            arguments.session = CommandSession(store, signed_in, announce, fetch_place)
            status: int = arguments.run(arguments, options)
    return status


def _parsed(parser: SshParser, line: str) -> argparse.Namespace | None:
    """The arguments of a command line; None for one that asks for help in general. Raises SystemExit."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        parser.error(f"the command line cannot be read: {error}")
    if words[:1] == [_PROGRAM]:
        del words[0]
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    if set(words) <= _HELP:
        return None
    arguments = parser.parse_args(protect_negatives(words))
    name: str = arguments.parser.prog.removeprefix(f"{_PROGRAM} ")
    if name not in ALLOWED:
        parser.error(f"{name} cannot be run over SSH")
    return arguments


@contextmanager
def _session(store: "Store", answer: "SignedIn | SecondFactorNeeded | None") -> "Iterator[SignedIn]":
    """The session of the command, which ends with it. Raises the errors of the second step."""
    if answer is None:
        raise WrongCredentials(_NOT_SIGNED_IN)
    signed_in = _second_step(store, answer)
    try:
        yield signed_in
    finally:
        # The server ends it as well.
        with suppress(GatekeyError):
            store.sessions.end(signed_in.token)


def _second_step(store: "Store", answer: "SignedIn | SecondFactorNeeded") -> "SignedIn":
    from store.values.sign_in import SecondFactorNeeded

    if not isinstance(answer, SecondFactorNeeded):
        return answer
    prompts = Prompts()
    streams.print_status(f"{sanitize(answer.name)} has two-factor authentication.")
    for left in reversed(range(TRIES)):
        try:
            signed_in = store.sign_in.with_code(answer.ticket, prompts.line(CODE_QUESTION))
        except NotAuthentic as error:
            if not left or not prompts.are_interactive:
                raise
            streams.print_status(f"{error}")
        else:
            break
    return signed_in
