"""`gatekey admin user`: restores or revokes access to an account."""

import argparse
from typing import TYPE_CHECKING

from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.confirmation import add_confirmation, is_confirmed
from tui.commands.parsing import Commands, Parser, add_account_action
from tui.store_location import Options, open_account_store

if TYPE_CHECKING:
    from store.store import Store


def add(actions: Commands) -> None:
    reset = add_account_action(
        actions, "reset-password", run_reset_password, "set a new password; every session of the account ends"
    )
    reset.add_argument(
        "--revoke-keys", action="store_true", help="also revoke the API keys and the System Access Token"
    )
    add_password(reset)
    add_account_action(actions, "unlock", run_unlock, "lift the locks that wrong passwords and codes have set")
    revoke_help = "revoke every API key and the System Access Token of an account"
    add_confirmation(add_account_action(actions, "revoke-keys", run_revoke_keys, revoke_help))
    reset_help = "switch two-factor authentication off; every session ends"
    add_confirmation(add_account_action(actions, "reset-2fa", run_reset_two_factor, reset_help))
    email = add_account_action(
        actions, "set-email", run_set_email, "change the e-mail address of an account, and tell both addresses"
    )
    email.add_argument("email", metavar="ADDRESS")
    add_confirmation(email)


def run_reset_password(arguments: argparse.Namespace, options: Options) -> int:
    password = read_password(arguments)
    with open_account_store(options, create=False) as store:
        name = store.accounts.find(arguments.name).name
        store.passwords.reset(name, password, actor=actor())
        streams.print_status(f"Set a new password for {name}. Every session of the account has ended.")
        revokes = arguments.revoke_keys
        if not revokes and streams.is_terminal():
            revokes = streams.confirm(
                f"Whoever had the old password may have made keys. Type yes to revoke the API keys and the System "
                f"Access Token of {name} as well:"
            )
        if revokes:
            _revoke(store, name)
        else:
            streams.print_status(
                f"Its API keys and token still work. To revoke them: gatekey admin user revoke-keys {name}"
            )
    return 0


def run_unlock(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        store.accounts.reset_factors(arguments.name, actor=actor())
    streams.print_status(f"Unlocked {arguments.name}.")
    return 0


def run_revoke_keys(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        name = store.accounts.find(arguments.name).name
        question = f"Revoke every API key and the System Access Token of {name}? Type yes to go on:"
        if not is_confirmed(arguments, question):
            return 1
        _revoke(store, name)
    return 0


def run_reset_two_factor(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        name = store.accounts.find(arguments.name).name
        question = (
            f"Switch two-factor authentication off for {name}? The password alone is enough to sign in then. Type yes "
            "to go on:"
        )
        if not is_confirmed(arguments, question):
            return 1
        store.two_factor.reset(name, actor=actor())
        shortest = store.passwords.shortest()
    streams.print_status(f"Two-factor authentication is off for {name}. Every session of the account has ended.")
    streams.print_status(
        f"If the password has fewer than {shortest} characters, {name} is told so at the next sign-in."
    )
    return 0


def run_set_email(arguments: argparse.Namespace, options: Options) -> int:
    from store import inputs

    email = inputs.check_email(arguments.email)
    with open_account_store(options, create=False) as store:
        account = store.accounts.find(arguments.name)
        before = account.email or "no address"
        question = f"Change the e-mail address of {account.name} from {before} to {email}? Type yes to go on:"
        if not is_confirmed(arguments, question):
            return 1
        store.accounts.set_email(account.name, email, actor=actor())
    streams.print_status(f"The e-mail address of {account.name} is {email} now.")
    return 0


def add_password(parser: Parser) -> None:
    """Add `--password-stdin` to `parser`."""
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; without it, a terminal is asked",
    )
    parser.set_defaults(parser=parser)


def read_password(arguments: argparse.Namespace) -> str:
    """The password, from standard input or typed twice. Raises SystemExit without both."""
    if not arguments.password_stdin and not streams.is_terminal():
        arguments.parser.error("give the password on standard input, with --password-stdin")
    return streams.read_secret("password", confirm=True)


def _revoke(store: "Store", name: str) -> None:
    revoked = store.keys.revoke_all(name, actor=actor())
    keys = "no API key" if not revoked.api_keys else f"{revoked.api_keys} of its API keys"
    token = "its System Access Token" if revoked.access_token else "no System Access Token"
    streams.print_status(f"Revoked {keys} and {token} of {name}.")
