"""`gatekey wallet`: the balance, the ledger and redeem codes of an account, and the prices of models."""

import argparse
from typing import TYPE_CHECKING, Final

from tui.commands import streams
from tui.commands.account_option import add_user
from tui.commands.command_account import account_of
from tui.commands.parsing import Commands, Parser, Run, whole_number
from tui.commands.row_export import add_export_options, export_rows
from tui.store_location import Options

if TYPE_CHECKING:
    from store.values.billing import QuotaState
    from store.values.ledger import LedgerPage
    from store.values.redeem_codes import Redeemed

DESCRIPTION: Final = """\
Show the balance of an account, every change of it, and the prices of models, or
redeem a code. Like `gatekey settings`, this works on the database itself: whoever
may read and write its file and the key needs no password."""
EXPORT: Final = """\
Write every change of the balance into a new file that only you can read, newest
first, each with the balance after it. The file is complete, or it is not there.
`--output -` writes to standard output."""
_WHOSE: Final = "wallet"
_MAX_SEQUENCE: Final = 2**63 - 1
_MAX_LISTED: Final = 500


def add(commands: Commands) -> None:
    parser = commands.add_parser("wallet", help="show an account's balance and ledger, or redeem a code")
    parser.description = DESCRIPTION
    add_user(parser, _WHOSE)
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    _add(actions, "show", run_show, "show what is left, held and used")
    ledger = _add(actions, "ledger", run_ledger, "list every change of the balance, newest first")
    ledger.add_argument(
        "--limit",
        metavar="N",
        type=whole_number(1, _MAX_LISTED),
        default=50,
        help="entries to list (default: %(default)s)",
    )
    ledger.add_argument(
        "--before", metavar="N", type=whole_number(1, _MAX_SEQUENCE), help="only entries with a number below N"
    )
    export = _add(actions, "export", run_export, "write every change of the balance into a file", has_json=False)
    export.description = EXPORT
    add_export_options(export)
    _add(actions, "redeem", run_redeem, "redeem a code, which is read from standard input")
    prices = _add(actions, "prices", run_prices, "list the prices of models")
    prices.add_argument("--find", metavar="TEXT", default="", help="only models with TEXT in their name")


def _add(actions: Commands, name: str, run: Run, help_text: str, *, has_json: bool = True) -> Parser:
    parser = actions.add_parser(name, help=help_text)
    add_user(parser, _WHOSE)
    if has_json:
        parser.add_argument("--json", action="store_true", help="as one JSON document")
    parser.set_defaults(run=run, parser=parser)
    return parser


def run_show(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account, account.reading() as (tx, account_id):
        state = account.store.quota.state_of(tx, account_id)
    return print_quota(arguments, account.name, state)


def print_quota(arguments: argparse.Namespace, name: str, state: "QuotaState") -> int:
    """Print the quota of the account `name`; returns the exit status."""
    from store.money import show_usd, type_usd

    if arguments.json:
        streams.print_json(
            {
                "user": name,
                "remaining_usd": type_usd(state.remaining_micro_usd),
                "held_usd": type_usd(state.held_micro_usd),
                "used_usd": type_usd(state.used_micro_usd),
            }
        )
        return 0
    streams.print_data(f"balance  {show_usd(state.remaining_micro_usd, exact=True)}")
    streams.print_data(f"held     {show_usd(state.held_micro_usd, exact=True)}")
    streams.print_data(f"used     {show_usd(state.used_micro_usd, exact=True)}")
    return 0


def run_ledger(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account, account.reading() as (tx, account_id):
        page = account.store.ledger.page_of(tx, account_id, before=arguments.before, limit=arguments.limit)
    return print_ledger(arguments, page)


def print_ledger(arguments: argparse.Namespace, page: "LedgerPage", *, has_balance: bool = True) -> int:
    """Print changes of the balance; returns the exit status. Without `has_balance`, that after each is not known."""
    from store.money import show_amount, type_usd

    if arguments.json:
        streams.print_json(
            {
                "entries": [
                    {
                        "number": entry.sequence,
                        "at": entry.at.isoformat(),
                        "kind": entry.kind.value,
                        "amount_usd": type_usd(entry.amount_micro_usd),
                        "balance_usd": type_usd(entry.balance_micro_usd) if has_balance else None,
                        "reason": entry.reason,
                        "by": entry.actor,
                        "call": entry.usage_entry_id,
                    }
                    for entry in page.entries
                ],
                "next_before": page.next_before,
            }
        )
        return 0
    # Decimal points stand below each other.
    amounts = [show_amount(entry.amount_micro_usd, signed=True) for entry in page.entries]
    balances = [show_amount(entry.balance_micro_usd) if has_balance else "not told" for entry in page.entries]
    widths = [max(map(len, column), default=0) for column in (amounts, balances)]
    rows = [
        (
            entry.sequence,
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            entry.kind.value.replace("_", " "),
            amount.rjust(widths[0]),
            balance.rjust(widths[1]),
            entry.actor,
            entry.reason,
        )
        for entry, amount, balance in zip(page.entries, amounts, balances, strict=True)
    ]
    streams.print_table(("NO", "TIME (UTC)", "WHAT", "AMOUNT, USD", "BALANCE", "BY", "REASON"), rows)
    if page.next_before is not None:
        streams.print_status(f"Older entries: --before {page.next_before}")
    return 0


def run_export(arguments: argparse.Namespace, options: Options) -> int:
    with account_of(arguments, options, _WHOSE) as account:
        return export_rows(arguments, options, "change", account.ledger_pieces)


def run_redeem(arguments: argparse.Namespace, options: Options) -> int:
    opened = account_of(arguments, options, _WHOSE)
    code = streams.read_secret("code")
    with opened as account:
        redeemed = account.redeem(code)
    return print_redeemed(arguments, account.name, redeemed)


def print_redeemed(arguments: argparse.Namespace, name: str, redeemed: "Redeemed") -> int:
    """Print what a code brought to the account `name`; returns the exit status."""
    from store.money import show_usd, type_usd

    if arguments.json:
        streams.print_json(
            {
                "user": name,
                "amount_usd": type_usd(redeemed.amount_micro_usd),
                "remaining_usd": type_usd(redeemed.remaining_micro_usd),
            }
        )
        return 0
    streams.print_status(
        f"Redeemed {show_usd(redeemed.amount_micro_usd, exact=True)}. "
        f"{name} has {show_usd(redeemed.remaining_micro_usd)} left."
    )
    return 0


def run_prices(arguments: argparse.Namespace, options: Options) -> int:
    from tui.commands.prices import print_prices

    sought = arguments.find.casefold()
    with account_of(arguments, options, _WHOSE) as account, account.reading() as (tx, _):
        prices = [price for price in account.store.pricing.all_in(tx) if sought in price.model.casefold()]
    print_prices(prices, as_json=arguments.json)
    return 0
