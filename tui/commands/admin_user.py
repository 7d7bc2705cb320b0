"""`gatekey admin user`: adds, lists and exports accounts, and sets their roles."""

import argparse
from typing import Final

from tui.commands import admin_user_access, admin_user_state, streams
from tui.commands.actor import actor
from tui.commands.admin_user_access import add_password, read_password
from tui.commands.parsing import Commands, add_account_action, add_list
from tui.store_location import Options, first_store, open_account_store

ROLES: Final = ("user", "admin", "root")


def add(commands: Commands) -> None:
    parser = commands.add_parser("user", help="add, list and rescue accounts")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    new = actions.add_parser("add", help="add an account, and the database on a first run")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--email", metavar="ADDRESS", required=True)
    new.add_argument("--role", choices=ROLES, default="user", help="default: %(default)s")
    new.add_argument("--quota", metavar="USD", default="0", help="dollars to start with (default: %(default)s)")
    add_password(new)
    new.set_defaults(run=run_add)

    add_list(actions, "account", run_list)

    role = add_account_action(actions, "role", run_role, "change an account's role")
    role.add_argument("role", choices=ROLES)
    add_account_action(actions, "export", run_export, "print everything stored about an account, as one JSON document")
    admin_user_access.add(actions)
    admin_user_state.add(actions)


def run_add(arguments: argparse.Namespace, options: Options) -> int:
    from store import inputs, passwords
    from store.accounts import Role
    from store.money import parse_usd, show_usd

    # Before a first run creates files for a command that is then refused.
    inputs.check_name(arguments.name)
    inputs.check_email(arguments.email)
    quota = parse_usd(arguments.quota, field="quota")
    password = read_password(arguments)
    passwords.check_new(passwords.prepare(password), (arguments.name, arguments.email), field="password")
    with first_store(options) as store:
        account = store.accounts.create(
            arguments.name,
            password,
            email=arguments.email,
            role=Role(arguments.role),
            quota_micro_usd=quota,
            actor=actor(),
            source="command line",
        )
    streams.print_status(f"Added {account.name} ({account.role.value}) with {show_usd(quota)}.")
    return 0


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    from store.money import show_usd, type_usd

    with open_account_store(options, create=False) as store:
        accounts = store.accounts.all()
        with store.database.read() as tx:
            left = {account.id: store.quota.state_of(tx, account.id).remaining_micro_usd for account in accounts}
    if arguments.json:
        streams.print_json(
            [
                {
                    "name": account.name,
                    "email": account.email,
                    "role": account.role.value,
                    "remaining_usd": type_usd(left[account.id]),
                    "created_at": account.created_at.isoformat(),
                    "has_password": account.has_password,
                    "suspended_at": account.suspended_at and account.suspended_at.isoformat(),
                }
                for account in accounts
            ]
        )
        return 0
    rows = [
        (
            account.name,
            account.role.value,
            account.email,
            show_usd(left[account.id]),
            f"{account.created_at:%Y-%m-%d}",
            "suspended" if account.suspended_at else "active",
        )
        for account in accounts
    ]
    streams.print_table(("NAME", "ROLE", "E-MAIL", "LEFT", "CREATED", "STATE"), rows)
    return 0


def run_role(arguments: argparse.Namespace, options: Options) -> int:
    from store.accounts import Role

    with open_account_store(options, create=False) as store:
        store.accounts.set_role(arguments.name, Role(arguments.role), actor=actor())
    streams.print_status(f"{arguments.name} is now {arguments.role}.")
    return 0


def run_export(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        streams.print_pieces(store.exports.document_of(arguments.name, actor=actor(), source="command line"))
    return 0
