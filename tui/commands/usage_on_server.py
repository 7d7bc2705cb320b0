"""`gatekey --server URL usage`: the calls of an account on a New API server, their totals, and their export."""

import argparse
from typing import TYPE_CHECKING, Final

from store.errors import NotOnThisServer
from tui.commands import usage
from tui.commands.on_server import on_server, steps_on_server
from tui.commands.row_export import export_rows
from tui.store_location import Options

if TYPE_CHECKING:
    from store.values.usage import LoggedEntry, UsageTotal
    from tui.remote_account import RemoteAccount

_BY_KEY: Final = "This server adds up no calls by API key: leave out --by key, or filter with `usage list --key NAME`."


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    if arguments.before is not None:
        raise NotOnThisServer("A New API server gives its entries no numbers to begin at: say --until TIME instead.")

    async def read(account: "RemoteAccount") -> "list[LoggedEntry]":
        only = usage.read_filter(arguments, account.now())
        found: list[LoggedEntry] = []
        page: int | None = None
        while len(found) < arguments.limit:
            entries = await account.usage_page(only, page)
            found += entries.entries
            page = entries.next_before
            if page is None:
                break
        return found[: arguments.limit]

    return usage.print_calls(arguments, on_server(options, read), None)


def run_totals(arguments: argparse.Namespace, options: Options) -> int:
    if arguments.by == "key":
        raise NotOnThisServer(_BY_KEY)

    async def read(account: "RemoteAccount") -> "list[UsageTotal]":
        return await account.usage_totals(arguments.days)

    return usage.print_totals(arguments, on_server(options, read), counts_errors=False)


def run_export(arguments: argparse.Namespace, options: Options) -> int:
    with steps_on_server(options) as (account, step):
        only = usage.read_filter(arguments, account.now())
        return export_rows(
            arguments,
            options,
            "call",
            lambda form, told: account.usage_pieces(form, only, lambda read: step(read()), told),
        )
