"""The address of a server: https, or http on this machine and where the person insists."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from store import inputs
from store.errors import InvalidUrl

FIELD: Final = "server"
PLAIN_HTTP: Final = (
    "Everything sent to an http:// address can be read on the way, your password too. Use https://, or insist with "
    "--insecure-http."
)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PATHS_OF_A_SERVER: Final = ("/v1", "/api", "/console/personal", "/console", "/profile", "/login")
"""Paths that people copy along with the address."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of a server. `url` has no slash at its end; a path in it is where the server begins."""

    url: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454), as a browser names them."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_encrypted(self) -> bool:
        return self.url.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        """True if requests do not leave this machine."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return self.url


def parse_server_address(text: str, *, insecure_http: bool = False) -> ServerAddress:
    """The server that `text` names, such as `https://api.example.com` or `api.example.com`.

    Without a scheme it is https, on this machine http. Raises `InvalidUrl`, also for http to another machine unless
    `insecure_http`.
    """
    typed = text.strip()
    if not _SCHEME.match(typed):
        host = urlsplit(f"//{typed}").hostname or ""
        typed = f"{'http' if is_loopback(host) else 'https'}://{typed}"
    url = inputs.check_url(typed, field=FIELD)
    parts = urlsplit(url)
    if parts.query:
        raise InvalidUrl("Leave the question mark and what follows out of the address.", field=FIELD)
    path = parts.path.rstrip("/")
    for known in _PATHS_OF_A_SERVER:
        path = path.removesuffix(known)
    netloc = parts.netloc.lower()
    default = {"http": ":80", "https": ":443"}[parts.scheme]
    address = ServerAddress(f"{parts.scheme}://{netloc.removesuffix(default)}{path.rstrip('/')}")
    if not address.is_encrypted and not address.is_loopback and not insecure_http:
        raise InvalidUrl(PLAIN_HTTP, field=FIELD)
    return address


def is_loopback(host: str) -> bool:
    """True for an address of the loopback, and for localhost and names below it (RFC 6761, 6.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().removesuffix(".").endswith((".localhost",)) or host.lower() in ("localhost", "localhost.")
