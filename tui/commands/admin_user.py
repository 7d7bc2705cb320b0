"""`gatekey admin user`: who there is, and their ways in."""

import argparse
from typing import Final

from tui.commands import streams
from tui.commands.authority import actor
from tui.commands.parsing import Commands, Parser
from tui.opening import Options, open_account_store

ROLES: Final = ("user", "admin", "root")


def add(commands: Commands) -> None:
    parser = commands.add_parser("user", help="add, list and rescue accounts")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    new = actions.add_parser("add", help="add an account, and the database on a first run")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--email", metavar="ADDRESS", required=True)
    new.add_argument("--role", choices=ROLES, default="user", help="default: %(default)s")
    new.add_argument("--quota", metavar="USD", default="0", help="dollars to start with (default: %(default)s)")
    _add_password(new)
    new.set_defaults(run=run_add)

    list_ = actions.add_parser("list", help="list every account")
    list_.add_argument("--json", action="store_true", help="as one JSON document")
    list_.set_defaults(run=run_list)

    role = actions.add_parser("role", help="change an account's role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=ROLES)
    role.set_defaults(run=run_role)

    reset = actions.add_parser("reset-password", help="set a new password; every session of the account ends")
    reset.add_argument("name", metavar="NAME")
    _add_password(reset)
    reset.set_defaults(run=run_reset_password)

    unlock = actions.add_parser("unlock", help="lift the locks that wrong passwords and codes have set")
    unlock.add_argument("name", metavar="NAME")
    unlock.set_defaults(run=run_unlock)


def run_add(arguments: argparse.Namespace, options: Options) -> int:
    from store import inputs, passwords
    from store.accounts import Role
    from store.money import parse_usd, show_usd

    # Checked before a first run makes files for a command that is then refused.
    inputs.check_name(arguments.name)
    inputs.check_email(arguments.email)
    quota = parse_usd(arguments.quota, field="quota")
    password = _password(arguments)
    passwords.check_new(passwords.prepare(password), (arguments.name, arguments.email), field="password")
    with open_account_store(options, create=True) as store:
        account = store.accounts.create(
            arguments.name,
            password,
            email=arguments.email,
            role=Role(arguments.role),
            quota_micro_usd=quota,
            actor=actor(),
            source="command line",
        )
    streams.say(f"Added {account.name} ({account.role.value}) with {show_usd(quota)}.")
    return 0


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    from store.money import show_usd, type_usd

    with open_account_store(options, create=False) as store:
        accounts = store.accounts.all()
        with store.database.read() as tx:
            left = {account.id: store.quota.state_of(tx, account.id).remaining_micro_usd for account in accounts}
    if arguments.json:
        streams.give_json(
            [
                {
                    "name": account.name,
                    "email": account.email,
                    "role": account.role.value,
                    "remaining_usd": type_usd(left[account.id]),
                    "created_at": account.created_at.isoformat(),
                    "has_password": account.has_password,
                }
                for account in accounts
            ]
        )
        return 0
    rows = [
        (account.name, account.role.value, account.email, show_usd(left[account.id]), f"{account.created_at:%Y-%m-%d}")
        for account in accounts
    ]
    streams.give_table(("NAME", "ROLE", "E-MAIL", "LEFT", "CREATED"), rows)
    return 0


def run_role(arguments: argparse.Namespace, options: Options) -> int:
    from store.accounts import Role

    with open_account_store(options, create=False) as store:
        store.accounts.set_role(arguments.name, Role(arguments.role), actor=actor())
    streams.say(f"{arguments.name} is now {arguments.role}.")
    return 0


def run_reset_password(arguments: argparse.Namespace, options: Options) -> int:
    password = _password(arguments)
    with open_account_store(options, create=False) as store:
        store.passwords.reset(arguments.name, password, actor=actor())
    streams.say(f"Set a new password for {arguments.name}. Every session of the account has ended.")
    return 0


def run_unlock(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        store.accounts.reset_factors(arguments.name, actor=actor())
    streams.say(f"Unlocked {arguments.name}.")
    return 0


def _add_password(parser: Parser) -> None:
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; without it, a terminal is asked",
    )
    parser.set_defaults(parser=parser)


def _password(arguments: argparse.Namespace) -> str:
    if not arguments.password_stdin and not streams.is_terminal():
        arguments.parser.error("give the password on standard input, with --password-stdin")
    return streams.read_secret("password", confirm=True)
