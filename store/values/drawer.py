"""The drawer of an account: what was saved where no file may be written."""

import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

SSH_PORT: Final = 22


class DrawerItem(NamedTuple):
    """An item that waits to be fetched."""

    id: str
    name: str
    """A plain file name, unique in the drawer."""
    size_bytes: int
    put_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FetchPlace:
    """The server from which the drawer is fetched."""

    host: str
    port: int
    asks_password: bool
    """True if no key opened the account: the client then has to be told to ask for the password."""


class DrawerOverview(NamedTuple):
    """The drawer of an account, and the way to it."""

    items: tuple[DrawerItem, ...]
    """The newest first."""
    account_name: str
    place: FetchPlace

    def command(self, name: str) -> str:
        """The command line of OpenSSH's client that fetches an item into the working directory, for any shell."""
        place = self.place
        host = f"[{place.host}]" if ":" in place.host else place.host
        port = () if place.port == SSH_PORT else ("-P", str(place.port))
        # A client that presents a key that opens nothing is not asked for a password.
        password = ("-o", "PubkeyAuthentication=no") if place.asks_password else ()
        return shlex.join(["scp", *port, *password, f"{self.account_name}@{host}:{name}", "."])


class DrawerFetch(NamedTuple):
    """A fetch that has an item for itself until it has read every part, gives it back, or is silent for too long."""

    id: str
    item: DrawerItem
    parts: int
