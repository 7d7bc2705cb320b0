"""`gatekey account`: the account page line by line, for screen readers and scripts, with the rules of the console."""

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui.commands import account_bindings, account_data, account_passkeys, account_security, account_two_factor
from tui.commands.parsing import Commands, Parser
from tui.store_location import Options

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

DESCRIPTION: Final = """\
Do everything of the account page line by line. Each command signs in, asks what it
needs, does one thing and signs out: the same rules and the same proofs as in the
console. Questions and talk go to standard error, data to standard output.

Where standard input is not a terminal, each answer is one line of it, in the order
of the questions: the password, then the code if the account has a second factor,
then what the command asks. Nothing secret is taken from the command line."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("account", help="your own account, line by line: password, 2FA, sessions, ...")
    parser.description = DESCRIPTION
    _add_sign_in(parser)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for topic in (account_data, account_security, account_two_factor, account_passkeys, account_bindings):
        topic.add(actions)
    for action in actions.choices.values():
        action.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Sign in, carry the action out, and sign out; returns the exit status."""
    import asyncio

    from tui.commands.account_sign_in import run_signed_in

    # Not `asyncio.run`: its handler of Ctrl+C waits for the next step of the loop, which a question holds up.
    loop = asyncio.new_event_loop()
    try:
        return _until_ended(loop, loop.create_task(run_signed_in(arguments, options)))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _until_ended(loop: "AbstractEventLoop", command: "Task[int]") -> int:
    """The result of `command`. After Ctrl+C it is cancelled, so that its session ends, and KeyboardInterrupt raised."""
    from asyncio import CancelledError

    try:
        return loop.run_until_complete(command)
    except KeyboardInterrupt:
        # A question that was interrupted has raised it in the command itself, which has ended by now. The loop does not
        # stop for a task that ended with KeyboardInterrupt.
        if command.cancel():
            with suppress(CancelledError):
                loop.run_until_complete(command)
        raise


def _add_sign_in(parser: Parser) -> None:
    if not parser.names_account:
        return
    parser.add_argument("--user", metavar="NAME", help="who you are; asked if it is left out")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--passkey", action="store_true", help="sign in with a passkey in a browser")
    way.add_argument("--provider", metavar="NAME", help="sign in at a bound identity provider, such as github")
