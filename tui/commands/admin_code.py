"""`gatekey admin code`: redeem codes, which add an amount to the balance of whoever redeems them."""

import argparse
from typing import TYPE_CHECKING, Final

from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.parsing import Commands, add_list, whole_number
from tui.store_location import Options, open_account_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.store import Store
    from store.values.redeem_codes import RedeemCodeInfo

_MAX_ID: Final = 2**63 - 1

CREATE_DESCRIPTION: Final = """\
Make redeem codes and print them, one on each line of standard output. Only their
hashes are kept, so a code is never shown again. Each works once, for one account:
on the page Wallet, or with `gatekey wallet --user NAME redeem`."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("code", help="make, list and revoke redeem codes")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    create = actions.add_parser("create", help="make codes; they are printed once", description=CREATE_DESCRIPTION)
    create.add_argument("--amount", metavar="USD", required=True, help="the value of each code")
    create.add_argument("--count", metavar="N", type=whole_number(1, 1000), default=1, help="default: %(default)s")
    create.add_argument(
        "--expires", metavar="DAYS", type=whole_number(1, 3650), help="days until the codes expire (default: never)"
    )
    create.add_argument("--note", metavar="TEXT", default="", help="the reason in the ledger of whoever redeems a code")
    create.add_argument("--json", action="store_true", help="the codes and their numbers as one JSON document")
    create.set_defaults(run=run_create)

    add_list(actions, "code", run_list)

    revoke = actions.add_parser("revoke", help="revoke codes that were not redeemed")
    revoke.add_argument("numbers", metavar="NUMBER", nargs="+", type=whole_number(1, _MAX_ID))
    revoke.set_defaults(run=run_revoke)


def run_create(arguments: argparse.Namespace, options: Options) -> int:
    from store.money import parse_usd, show_usd
    from store.text import pluralize

    amount = parse_usd(arguments.amount, places=6, field="amount")
    with open_account_store(options, create=False) as store:
        codes = store.redeem_codes.create(
            amount, arguments.count, days=arguments.expires, note=arguments.note, actor=actor()
        )
    numbers = f"{codes[0].id}" if len(codes) == 1 else f"{codes[0].id} to {codes[-1].id}"
    # The numbers come first: they revoke codes that could not be printed.
    streams.print_status(f"Made {pluralize(len(codes), 'code')} of {show_usd(amount, exact=True)}: {numbers}.")
    if arguments.json:
        streams.print_json([{"number": made.id, "code": made.code} for made in codes])
    else:
        for made in codes:
            streams.print_data(made.code)
    streams.print_status("Only hashes are kept: these codes are not shown again.")
    return 0


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    from store.money import show_usd, type_usd

    with open_account_store(options, create=False) as store:
        codes = list(_all(store))
    if arguments.json:
        streams.print_json(
            [
                {
                    "number": code.id,
                    "last_four": code.last_four,
                    "amount_usd": type_usd(code.amount_micro_usd),
                    "state": code.state.value,
                    "note": code.note,
                    "created_at": code.created_at.isoformat(),
                    "created_by": code.created_by,
                    "expires_at": None if code.expires_at is None else code.expires_at.isoformat(),
                    "redeemed_at": None if code.redeemed_at is None else code.redeemed_at.isoformat(),
                    "redeemed_by": code.redeemed_by,
                }
                for code in codes
            ]
        )
        return 0
    rows = [
        (
            code.id,
            f"…{code.last_four}" if code.last_four else "",
            show_usd(code.amount_micro_usd, exact=True),
            code.state.value,
            f"{code.created_at:%Y-%m-%d}",
            "never" if code.expires_at is None else f"{code.expires_at:%Y-%m-%d}",
            code.redeemed_by,
            code.note,
        )
        for code in codes
    ]
    streams.print_table(("NO", "CODE", "AMOUNT", "STATE", "MADE", "EXPIRES", "REDEEMED BY", "NOTE"), rows)
    return 0


def run_revoke(arguments: argparse.Namespace, options: Options) -> int:
    from store.text import pluralize

    with open_account_store(options, create=False) as store:
        store.redeem_codes.revoke(arguments.numbers, actor=actor())
    streams.print_status(f"Revoked {pluralize(len(set(arguments.numbers)), 'code')}.")
    return 0


def _all(store: "Store") -> "Iterator[RedeemCodeInfo]":
    after = 0
    while page := store.redeem_codes.page(after=after):
        yield from page
        after = page[-1].id
