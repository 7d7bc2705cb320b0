"""`gatekey --server URL COMMAND`: the commands that act on an account on a New API server, with the usual words."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from store.errors import SessionEnded
from tui.commands import streams
from tui.store_location import Options

if TYPE_CHECKING:
    from tui.remote_account import RemoteAccount

T = TypeVar("T")


class Step(Protocol):
    """Runs one step to its end; returns what it gave."""

    def __call__(self, act: Awaitable[T]) -> T: ...


ACTIONS: Final = {
    "settings show": "settings_on_server.run_show",
    "settings set": "settings_on_server.run_set",
    "keys list": "keys_on_server.run_list",
    "keys create": "keys_on_server.run_create",
    "keys edit": "keys_on_server.run_edit",
    "keys rotate": "keys_on_server.run_rotate",
    "keys disable": "keys_on_server.run_disable",
    "keys enable": "keys_on_server.run_enable",
    "keys revoke": "keys_on_server.run_revoke",
    "usage list": "usage_on_server.run_list",
    "usage totals": "usage_on_server.run_totals",
    "usage export": "usage_on_server.run_export",
    "wallet show": "wallet_on_server.run_show",
    "wallet ledger": "wallet_on_server.run_ledger",
    "wallet export": "wallet_on_server.run_export",
    "wallet redeem": "wallet_on_server.run_redeem",
    "wallet prices": "wallet_on_server.run_prices",
    "import new-api": "import_account.run_new_api",
}
"""The commands, each with its function below `tui.commands`."""
_BOTH: Final = ("import new-api",)
"""Commands that act on a server and on a database, whose account --user names."""
_NOT_ADDED: Final = "A command needs a session that is kept: gatekey server add {url}"


def run(parser: argparse.ArgumentParser, arguments: argparse.Namespace, options: Options) -> int:
    """Run the command on the server. Raises SystemExit for one that acts on a database alone."""
    leaf: argparse.ArgumentParser = getattr(arguments, "parser", parser)
    name = leaf.prog.removeprefix("gatekey ")
    if name not in ACTIONS:
        parser.error(f"--server opens the console, or goes with: {', '.join(ACTIONS)}")
    if name not in _BOTH and getattr(arguments, "user", None) is not None:
        parser.error("the account is the one that signed in to the server: leave out --user")
    module, _, function = ACTIONS[name].partition(".")
    status: int = getattr(import_module(f"tui.commands.{module}"), function)(arguments, options)
    return status


def on_server(options: Options, act: "Callable[[RemoteAccount], Awaitable[T]]") -> T:
    """Run `act` on the account of the kept session. Raises `SessionEnded` without one, and what `act` raises."""
    with steps_on_server(options) as (account, step):
        return step(act(account))


@contextmanager
def steps_on_server(options: Options) -> "Iterator[tuple[RemoteAccount, Step]]":
    """The account of the kept session, and what runs one step on it after another. Raises as `on_server`."""
    from tui.server_account import INSECURE, account_on_server, is_insecure

    if is_insecure(options):
        streams.print_status(INSECURE)
    account = account_on_server(options)
    if not account.starts_signed_in:
        raise SessionEnded(_NOT_ADDED.format(url=account.server))
    account.tell_waits(lambda sentence: streams.print_status(f"{sentence} Ctrl+C leaves."))
    with asyncio.Runner() as runner:

        def step(act: Awaitable[T]) -> T:
            return runner.run(_awaited(act))

        try:
            step(account.open())
            yield account, step
        finally:
            step(account.close())


async def _awaited(act: Awaitable[T]) -> T:
    return await act
