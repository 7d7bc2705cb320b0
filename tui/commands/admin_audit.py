"""`gatekey admin verify-audit`: whether any event of the audit log was altered or removed."""

import argparse

from store.text import plain
from tui.commands import streams
from tui.commands.parsing import Commands
from tui.opening import Options, open_account_store

DESCRIPTION = """\
Check the chain of every account's audit log, or of one. The status is 1 if an event
was altered, removed or slipped in; the first that does not fit is named."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("verify-audit", help="check the audit log for tampering", description=DESCRIPTION)
    parser.add_argument("name", metavar="NAME", nargs="?", help="one account (default: all)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    broken = 0
    with open_account_store(options, create=False) as store:
        accounts = [store.accounts.find(arguments.name)] if arguments.name else store.accounts.all()
        for account in accounts:
            with store.database.read() as tx:
                first = store.audit.verify(tx, account.id)
            broken += first is not None
            verdict = "ok" if first is None else f"fail: event {first} does not fit"
            streams.give(f"{plain(account.name)}  {verdict}")
    return 1 if broken else 0
