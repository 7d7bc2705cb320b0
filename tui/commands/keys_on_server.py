"""`gatekey --server URL keys`: the API keys of an account on a New API server."""

import argparse
from typing import TYPE_CHECKING

from store.errors import NotOnThisServer
from store.text import sanitize
from tui.commands import keys, streams
from tui.commands.confirmation import is_confirmed
from tui.commands.on_server import on_server
from tui.store_location import Options

if TYPE_CHECKING:
    from datetime import datetime

    from store.values.api_keys import ApiKeyInfo, NewApiKey
    from tui.remote_account import RemoteAccount

_LACKING = "A New API server has no --rate and no --reset for a key."


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    async def read(account: "RemoteAccount") -> "tuple[str, list[ApiKeyInfo], datetime]":
        return account.name, await account.api_keys(), account.now()

    name, found, now = on_server(options, read)
    return keys.print_keys(arguments, name, found, now)


def run_create(arguments: argparse.Namespace, options: Options) -> int:
    from store.values.api_keys import ApiKeyLimits

    if arguments.rate or arguments.reset not in (None, "never"):
        raise NotOnThisServer(_LACKING)

    async def create(account: "RemoteAccount") -> "tuple[NewApiKey, datetime]":
        limits = keys.read_limits(arguments, ApiKeyLimits(), account.now())
        return await account.create_api_key(arguments.name, limits), account.now()

    made, now = on_server(options, create)
    return keys.print_secret(arguments, made, f"Created {sanitize(made.info.name)}.", now)


def run_edit(arguments: argparse.Namespace, options: Options) -> int:
    if arguments.rate or arguments.reset not in (None, "never"):
        raise NotOnThisServer(_LACKING)

    async def edit(account: "RemoteAccount") -> "tuple[ApiKeyInfo, datetime]":
        key = keys.find_key(await account.api_keys(), arguments.key, "keys list")
        limits = keys.read_limits(arguments, key.limits, account.now())
        name = key.name if arguments.name is None else arguments.name
        return await account.edit_api_key(key, name, limits), account.now()

    key, now = on_server(options, edit)
    return keys.print_changed(arguments, key, f"Saved: {sanitize(key.name)}.", now)


def run_rotate(arguments: argparse.Namespace, options: Options) -> int:  # noqa: ARG001 (as every command)
    from tui.server_account import account_on_server

    raise NotOnThisServer(account_on_server(options).capabilities.no_key_rotation)


def run_disable(arguments: argparse.Namespace, options: Options) -> int:
    return _switch(arguments, options, on=False)


def run_enable(arguments: argparse.Namespace, options: Options) -> int:
    return _switch(arguments, options, on=True)


def run_revoke(arguments: argparse.Namespace, options: Options) -> int:
    async def find(account: "RemoteAccount") -> "ApiKeyInfo":
        return keys.find_key(await account.api_keys(), arguments.key, "keys list")

    key = on_server(options, find)
    if not is_confirmed(arguments, f"{sanitize(key.name)} is refused from now on. Type yes to revoke it:"):
        return 1

    async def revoke(account: "RemoteAccount") -> None:
        await account.revoke_api_key(key.id)

    on_server(options, revoke)
    streams.print_status(f"Revoked {sanitize(key.name)}. It has left the list.")
    return 0


def _switch(arguments: argparse.Namespace, options: Options, *, on: bool) -> int:
    async def switch(account: "RemoteAccount") -> "tuple[ApiKeyInfo, datetime]":
        key = keys.find_key(await account.api_keys(), arguments.key, "keys list")
        act = account.enable_api_key if on else account.disable_api_key
        return await act(key.id), account.now()

    key, now = on_server(options, switch)
    return keys.print_changed(arguments, key, f"{'Enabled' if on else 'Disabled'} {sanitize(key.name)}.", now)
