"""`gatekey --server URL usage list`: the calls of an account on a New API server."""

import argparse
from typing import TYPE_CHECKING

from store.errors import NotOnThisServer
from tui.commands import usage
from tui.commands.on_server import on_server
from tui.store_location import Options

if TYPE_CHECKING:
    from store.values.usage import LoggedEntry
    from tui.remote_account import RemoteAccount


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
