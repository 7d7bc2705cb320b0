"""`gatekey admin quota`: tops up, reduces or sets the quota of an account."""

import argparse

from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.parsing import Commands
from tui.store_location import Options, open_account_store


def add(commands: Commands) -> None:
    parser = commands.add_parser("quota", help="top up (+5), take away (-5) or set (=5) an account's dollars")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("amount", metavar="+USD|-USD|=USD")
    parser.add_argument("--reason", metavar="TEXT", default="", help="stands in the account's ledger")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    from store.errors import InvalidMoney
    from store.money import parse_usd, show_usd

    amount = arguments.amount.strip(" ")
    sign, dollars = amount[:1], amount[1:]
    if sign not in ("+", "-", "="):
        raise InvalidMoney("Say what to do with the amount: +5 tops up, -5 takes away, =5 sets.", field="amount")
    micro_usd = parse_usd(dollars, field="amount")
    if micro_usd == 0 and sign != "=":
        raise InvalidMoney(
            "Adding or taking nothing changes nothing. To set the quota to zero, say =0.", field="amount"
        )
    with open_account_store(options, create=False) as store:
        told = {"reason": arguments.reason, "actor": actor()}
        if sign == "=":
            state = store.quota.adjust(arguments.name, set_to=micro_usd, **told)
        else:
            state = store.quota.adjust(arguments.name, add=micro_usd if sign == "+" else -micro_usd, **told)
    streams.print_status(f"{arguments.name} has {show_usd(state.remaining_micro_usd)} left.")
    return 0
