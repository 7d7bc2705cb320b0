"""`gatekey --server URL wallet`: the balance of an account on a New API server, codes, and prices."""

import argparse
from typing import TYPE_CHECKING

from tui.commands import streams, wallet
from tui.commands.on_server import on_server
from tui.store_location import Options

if TYPE_CHECKING:
    from store.values.billing import ModelPrice, QuotaState
    from store.values.redeem_codes import Redeemed
    from tui.remote_account import RemoteAccount


def run_show(arguments: argparse.Namespace, options: Options) -> int:
    async def read(account: "RemoteAccount") -> "tuple[str, QuotaState]":
        return account.name, await account.quota()

    return wallet.print_quota(arguments, *on_server(options, read))


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
