"""`gatekey server`: the accounts on New API servers that `gatekey --server` opens."""

import argparse
import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from store.errors import FilesOff, NoSuchItem, NotAuthentic, ServerFailed, StoreUnavailable
from store.text import sanitize
from tui.commands import streams
from tui.commands.parsing import Commands, Parser
from tui.servers import AddedServer, read_servers, write_servers
from tui.store_location import Options

if TYPE_CHECKING:
    from remote.client import RemoteClient
    from remote.patience import Wait
    from tui.commands.account_prompts import Prompts

DESCRIPTION: Final = """\
Accounts on New API servers, which `gatekey --server URL` opens. A session that is
kept is sealed under the key file; --memory-only keeps none. Passwords, codes and
tokens are asked for, or read from standard input, a line each."""
ADD: Final = """\
Sign in to an account on a New API server, and remember the server. Where the sign-in
of a server shows a captcha, --token takes a System Access Token instead, which the
server's own page makes; older servers want the id of your user with it."""
_TRIES: Final = 3


def add(commands: Commands) -> None:
    parser = commands.add_parser("server", help="accounts on New API servers: add, list, remove, use")
    parser.description = DESCRIPTION
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="sign in to an account on a server, and remember it")
    adding.description = ADD
    adding.add_argument("url", metavar="URL", help="the server's address")
    adding.add_argument("--name", metavar="NAME", help="your username there")
    adding.add_argument("--memory-only", action="store_true", help="keep no session: sign in each time")
    adding.add_argument("--token", action="store_true", help="sign in with a System Access Token")
    adding.add_argument("--user-id", metavar="ID", default="", help="the id of your user, with --token")
    adding.set_defaults(run=run_add, parser=adding)
    listing = actions.add_parser("list", help="list the servers; the first is the default")
    listing.add_argument("--json", action="store_true", help="as one JSON document")
    listing.set_defaults(run=run_list, parser=listing)
    for name, run, help_text in (
        ("remove", run_remove, "end the kept session, and forget the server"),
        ("use", run_use, "make it the default: gatekey --server default"),
    ):
        action = actions.add_parser(name, help=help_text)
        action.add_argument("url", metavar="URL", help="the server's address")
        action.add_argument("--name", metavar="NAME", help="whose account, if several were added")
        action.set_defaults(run=run, parser=action)


def run_add(arguments: argparse.Namespace, options: Options) -> int:
    from remote.address import parse_server_address
    from tui.commands.account_prompts import Prompts
    from tui.server_account import INSECURE, connected, servers_file

    parser: Parser = arguments.parser
    if arguments.user_id and not arguments.token:
        parser.error("--user-id goes with --token")
    if arguments.memory_only and arguments.token:
        parser.error("--token is kept, or there would be nothing to sign in with: leave out --memory-only")
    if options.no_files:
        raise FilesOff
    address = parse_server_address(arguments.url, insecure_http=options.insecure_http)
    if not address.is_encrypted and not address.is_loopback:
        streams.print_status(INSECURE)
    keeps = not arguments.memory_only
    client = connected(address, options, _tell, keeps=keeps, create=keeps)
    name = asyncio.run(_sign_in(client, arguments, Prompts()))
    entry = AddedServer(address.url, name, keeps, not address.is_encrypted and not address.is_loopback)
    others = [each for each in read_servers(servers_file()) if (each.url, each.name) != (entry.url, entry.name)]
    write_servers(servers_file(), [*others, entry])
    streams.print_status(f"Added {sanitize(name)} on {address.url}. gatekey --server {address.url} opens it.")
    return 0


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    from remote.kept_sessions import KeptState
    from tui.server_account import servers_file

    servers = read_servers(servers_file())
    sessions = _sessions(servers, options)
    if arguments.json:
        document = [
            {
                "url": each.url,
                "name": each.name,
                "default": not place,
                "session": words,
                "session_kept": words == KeptState.KEPT,
            }
            for place, (each, words) in enumerate(zip(servers, sessions, strict=True))
        ]
        streams.print_json({"servers": document})
        return 0
    rows = [
        (sanitize(each.url), sanitize(each.name), words, "" if place else "default")
        for place, (each, words) in enumerate(zip(servers, sessions, strict=True))
    ]
    streams.print_table(("SERVER", "NAME", "SESSION", ""), rows)
    return 0


def _sessions(servers: list[AddedServer], options: Options) -> list[str]:
    """For each server what is kept of its session, in a few words."""
    from remote.kept_sessions import KeptState
    from tui.server_account import kept_sessions

    if not any(each.is_kept for each in servers):
        return ["none"] * len(servers)
    try:
        kept = kept_sessions(options, create=False)
    except StoreUnavailable:  # the key is missing, another, or open to others
        return [KeptState.UNREADABLE.value if each.is_kept else "none" for each in servers]
    return [kept.state(each.url, each.name).value if each.is_kept else "none" for each in servers]


def run_remove(arguments: argparse.Namespace, options: Options) -> int:
    from remote.address import parse_server_address
    from tui.server_account import connected, servers_file

    servers = read_servers(servers_file())
    entry = _found(servers, arguments)
    if entry.is_kept:
        address = parse_server_address(entry.url, insecure_http=entry.is_insecure)
        asyncio.run(_sign_out(connected(address, options, _tell, keeps=True), entry.name))
    write_servers(servers_file(), [each for each in servers if each != entry])
    streams.print_status(f"Removed {sanitize(entry.name)} on {sanitize(entry.url)}.")
    return 0


def run_use(arguments: argparse.Namespace, options: Options) -> int:  # noqa: ARG001 (as every command)
    from tui.server_account import servers_file

    servers = read_servers(servers_file())
    entry = _found(servers, arguments)
    write_servers(servers_file(), [entry, *(each for each in servers if each != entry)])
    streams.print_status(f"gatekey --server default opens {sanitize(entry.name)} on {sanitize(entry.url)}.")
    return 0


def _found(servers: list[AddedServer], arguments: argparse.Namespace) -> AddedServer:
    """The server that the command names. Raises `NoSuchItem`, and SystemExit if the name is missing."""
    from remote.address import parse_server_address

    url = parse_server_address(arguments.url, insecure_http=True).url
    found = [each for each in servers if each.url == url and arguments.name in (None, each.name)]
    if not found:
        raise NoSuchItem("No such server was added. gatekey server list shows those that were.")
    if len(found) > 1:
        parser: Parser = arguments.parser
        parser.error("several accounts on this server were added: say whose with --name")
    return found[0]


async def _sign_in(client: "RemoteClient", arguments: argparse.Namespace, prompts: "Prompts") -> str:
    """Sign in; returns the name of the account. Raises the errors of `RemoteClient`."""
    try:
        facts = await client.facts()
        streams.print_status(f"{client.address.url} is a New API server of the generation {facts.generation}.")
        if arguments.token:
            await client.sign_in_with_token(prompts.secret("System Access Token"), arguments.user_id)
            return client.name
        name = arguments.name or prompts.line("Username")
        step = await client.sign_in(name, prompts.secret("Password"))
        left = _TRIES
        while step is not None:
            try:
                await client.enter_code(step, prompts.line("Code"))
                break
            except NotAuthentic as error:
                left -= 1
                if not left or not prompts.are_interactive:
                    raise
                streams.print_status(f"{error}")
        name = client.name
        if arguments.memory_only:
            await client.sign_out()
        return name
    finally:
        await client.aclose()


async def _sign_out(client: "RemoteClient", name: str) -> None:
    """End the kept session here, and on the server if it answers."""
    try:
        if await client.resume(name):
            with suppress(ServerFailed):
                await client.sign_out()
        else:
            await client.forget(name)
    finally:
        await client.aclose()


def _tell(wait: "Wait") -> None:
    streams.print_status(f"{wait.reason} The next try is in {max(1, round(wait.seconds))} s; Ctrl+C leaves.")
