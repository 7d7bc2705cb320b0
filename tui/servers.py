"""The servers that a person has added, without any secret: a small file beside keys.toml."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from store import private_file, private_folder
from store.errors import StoreUnavailable

FILE_NAME: Final = "servers.json"
SESSIONS_FOLDER: Final = "sessions"
"""The folder of kept sessions, beside the file. Each is sealed under the key file."""


@dataclass(frozen=True, slots=True)
class AddedServer:
    """One account on one server."""

    url: str
    name: str
    is_kept: bool = True
    """True if its session is kept on disk."""
    is_insecure: bool = False
    """True if the person insisted on plain HTTP."""


def read_servers(path: Path) -> list[AddedServer]:
    """The servers in their order; the first is the default. A file that cannot be used counts as none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return [_server(each) for each in document["servers"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_servers(path: Path, servers: Sequence[AddedServer]) -> None:
    """Write the file with mode 0600, in the place of the former one. Raises `StoreUnavailable`."""
    text = json.dumps({"servers": [asdict(each) for each in servers]}, indent=1)
    try:
        private_folder.make(path.parent)
        private_file.replace(path, f"{text}\n".encode())
    except OSError as error:
        raise StoreUnavailable(f"The list of servers in {path} could not be written: {error.strerror}.") from error


def _server(each: object) -> AddedServer:
    if not isinstance(each, dict):
        raise TypeError
    url, name = each["url"], each["name"]
    if not isinstance(url, str) or not isinstance(name, str):
        raise TypeError
    return AddedServer(url, name, each.get("is_kept") is True, each.get("is_insecure") is True)
