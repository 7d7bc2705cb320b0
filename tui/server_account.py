"""From `--server` to the account there: its address, the name to resume, and the client."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from remote.address import parse_server_address
from store.errors import InvalidUrl
from tui.config_location import config_path
from tui.remote_account import RemoteAccount
from tui.servers import FILE_NAME, SESSIONS_FOLDER, AddedServer, read_servers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from remote.address import ServerAddress
    from remote.client import RemoteClient
    from remote.kept_sessions import KeptSessions
    from remote.patience import Wait
    from store.at_rest import KeyRing
    from tui.store_location import Options

DEFAULT: Final = "default"
"""The word for the server that `gatekey server use` has put first."""
NO_DEFAULT: Final = "No server is added yet: gatekey server add URL"
INSECURE: Final = "This server is reached by plain HTTP: whoever is on the way can read your password and your keys."


def servers_file() -> Path:
    return config_path().parent / FILE_NAME


def chosen_server(options: Options) -> tuple[ServerAddress, AddedServer | None]:
    """The address that `--server` names, and what was added for it. Raises `InvalidUrl`."""
    added = read_servers(servers_file())
    if options.server == DEFAULT:
        if not added:
            raise InvalidUrl(NO_DEFAULT, field="server")
        return parse_server_address(added[0].url, insecure_http=added[0].is_insecure), added[0]
    address = parse_server_address(options.server or "", insecure_http=True)
    found = next((each for each in added if each.url == address.url), None)
    is_allowed = options.insecure_http or (found is not None and found.is_insecure)
    return parse_server_address(options.server or "", insecure_http=is_allowed), found


def is_insecure(options: Options) -> bool:
    """True if what is sent to the server can be read on the way. Raises `InvalidUrl`."""
    address, _ = chosen_server(options)
    return not address.is_encrypted and not address.is_loopback


def account_on_server(options: Options) -> RemoteAccount:
    """The account that `--server` names. Nothing is asked of the server yet. Raises `InvalidUrl`."""
    address, added = chosen_server(options)

    def connect(told: Callable[[Wait], None]) -> RemoteClient:
        return connected(address, options, told, keeps=added is not None and added.is_kept)

    return RemoteAccount(address, connect, options, resumes=added.name if added is not None and added.is_kept else "")


def connected(
    address: ServerAddress, options: Options, told: Callable[[Wait], None], *, keeps: bool, create: bool = False
) -> RemoteClient:
    """The client of a server. `keeps` its session on disk, under the key file, which is made if `create`. It blocks.

    Raises `KeyMissing`, `KeyWrong` and `KeyExposed`.
    """
    from gateway.h11_patterns import use_linear_patterns
    from remote.client import RemoteClient
    from remote.patience import Patience

    use_linear_patterns()
    kept = kept_sessions(options, create=create) if keeps else None
    return RemoteClient(address, kept=kept, patience=Patience(told=told))


def kept_sessions(options: Options, *, create: bool) -> KeptSessions:
    """The sessions that are kept on disk. Raises the errors of the key."""
    import secrets

    from remote.kept_sessions import KeptSessions

    folder = servers_file().parent / SESSIONS_FOLDER
    return KeptSessions(folder, _ring(options, create=create), secrets.SystemRandom())


def _ring(options: Options, *, create: bool) -> KeyRing:
    import secrets

    from store.at_rest import KeyRing
    from store.key_file import FileRing, create_key_file
    from tui.store_location import KEY_VARIABLE, key_path

    path = key_path(options, os.environ)
    if path is None:
        return KeyRing.parse(os.environ[KEY_VARIABLE])
    if create and not os.path.lexists(path):
        create_key_file(path, secrets.SystemRandom())
    return FileRing(path)
