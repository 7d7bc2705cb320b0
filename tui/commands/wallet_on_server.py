"""`gatekey --server URL wallet`: the balance of an account on a New API server, its payments, codes, and prices."""

import argparse
from typing import TYPE_CHECKING

from tui.commands import streams, wallet
from tui.commands.on_server import on_server, steps_on_server
from tui.commands.row_export import export_rows
from tui.store_location import Options

if TYPE_CHECKING:
    from store.values.billing import ModelPrice, QuotaState
    from store.values.ledger import LedgerEntry, LedgerPage
    from store.values.redeem_codes import Redeemed
    from tui.remote_account import RemoteAccount


def run_show(arguments: argparse.Namespace, options: Options) -> int:
    async def read(account: "RemoteAccount") -> "tuple[str, QuotaState]":
        return account.name, await account.quota()

    return wallet.print_quota(arguments, *on_server(options, read))


def run_ledger(arguments: argparse.Namespace, options: Options) -> int:
    from store.values.ledger import LedgerPage

    async def read(account: "RemoteAccount") -> "tuple[LedgerPage, str]":
        found: list[LedgerEntry] = []
        page: int | None = None
        while True:
            payments = await account.ledger(page)
            found += [one for one in payments.entries if arguments.before is None or one.sequence < arguments.before]
            page = payments.next_before
            if page is None or len(found) > arguments.limit:
                break
        shown = tuple(found[: arguments.limit])
        more = shown[-1].sequence if len(found) > len(shown) else None
        return LedgerPage(shown, more), account.capabilities.no_ledger

    page, limit = on_server(options, read)
    streams.print_status(limit)
    return wallet.print_ledger(arguments, page, has_balance=False)


def run_export(arguments: argparse.Namespace, options: Options) -> int:
    with steps_on_server(options) as (account, step):
        streams.print_status(account.capabilities.no_ledger)
        return export_rows(
            arguments,
            options,
            "payment",
            lambda form, told: account.payment_pieces(form, lambda read: step(read()), told),
        )


def run_redeem(arguments: argparse.Namespace, options: Options) -> int:
    code = streams.read_secret("code")

    async def redeem(account: "RemoteAccount") -> "tuple[str, Redeemed]":
        return account.name, await account.redeem_code(code)

    return wallet.print_redeemed(arguments, *on_server(options, redeem))


def run_prices(arguments: argparse.Namespace, options: Options) -> int:
    from tui.commands.prices import print_prices

    sought = arguments.find.casefold()

    async def read(account: "RemoteAccount") -> "list[ModelPrice]":
        return await account.prices()

    prices = [price for price in on_server(options, read) if sought in price.model.casefold()]
    print_prices(prices, as_json=arguments.json)
    return 0
