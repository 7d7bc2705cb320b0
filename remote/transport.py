"""One exchange with a server, bounded in size and time. Redirects and proxies are not followed, cookies not kept.

Requests use httpx's transport instead of `httpx.AsyncClient`, which logs every URL and keeps a cookie jar of its own.
"""

import asyncio
import contextlib
import json
import ssl
import zlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx

from remote.address import ServerAddress
from remote.network_failures import NETWORK_ERRORS, server_failure
from store.errors import AnswerUnreadable
from store.text import sanitize

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""A page of 100 log entries has some 100 KB; nothing a person waits for is larger than this."""
_JSON: Final = "application/json"
_HEADERS: Final = {
    "User-Agent": "Gatekey",
    # The server would answer a fault of its own with an empty 200, if its answer could be packed.
    "Accept-Encoding": "identity",
    "Accept-Language": "en",
}
_LARGEST_EXACT: Final = 2**53
"""Beyond it a double holds no whole number exactly."""
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for connecting and for a whole exchange, and the bytes of an answer."""

    connect_s: float = 10.0
    total_s: float = 30.0
    answer_bytes: int = MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `path` begins with a slash and is below the server's address."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    """A JSON value, with a `Decimal` for a number that was read as one; None sends no body."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    changes: bool = False
    """True if it would change something on the server. The method does not tell: a GET makes a new access token."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it came. It may hold secrets, and shows none."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_json(self) -> bool:
        """True if the content type is JSON (RFC 8259, RFC 6839)."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return bool(kind == _JSON or kind.endswith("+json"))


def system_trust() -> ssl.SSLContext:
    """A context that trusts the CA certificates of the system and of Mozilla. Reads files: use a thread."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


class Transport:
    """Exchanges with one server, over connections that are kept for the next one.

    `inner` is httpx's transport; by default one that trusts `system_trust`, made at the first exchange.
    """

    def __init__(
        self, address: ServerAddress, *, inner: httpx.AsyncBaseTransport | None = None, limits: Limits | None = None
    ) -> None:
        self.address = address
        self._inner = inner
        self._limits = limits or Limits()
        self._making = asyncio.Lock()

    async def exchange(self, request: Request) -> HttpAnswer:
        """The answer to `request`, whatever its status.

        Raises `ServerUnreachable`, `CertificateRefused`, `AnswerLost` if the request may have taken effect, and
        `AnswerUnreadable` for an answer that is too large.
        """
        waits = httpx.Timeout(self._limits.total_s, connect=self._limits.connect_s)
        try:
            async with asyncio.timeout(self._limits.total_s):
                return await self._read(await self.open(request, waits))
        except NETWORK_ERRORS as error:
            raise server_failure(error, self.address.host, changes=request.changes) from error

    async def open(self, request: Request, waits: httpx.Timeout, *, accept: str = _JSON) -> httpx.Response:
        """The answer to `request`, with its body unread: the caller bounds it, closes it, and maps `NETWORK_ERRORS`."""
        content = b"" if request.body is None else json.dumps(request.body, default=_number).encode()
        headers = {**_HEADERS, "Accept": accept, **request.headers}
        if request.body is not None:
            headers["Content-Type"] = _JSON
        sent = httpx.Request(
            request.method,
            f"{self.address.url}{request.path}",
            params=dict(request.params) or None,
            content=content,
            headers=headers,
            extensions={"timeout": waits.as_dict()},
        )
        return await (await self._transport()).handle_async_request(sent)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._inner is not None:
            await self._inner.aclose()

    async def _transport(self) -> httpx.AsyncBaseTransport:
        async with self._making:
            if self._inner is None:
                trust = await asyncio.to_thread(system_trust) if self.address.is_encrypted else False
                # A connection that the server closed while it lay idle would fail the next change in doubt.
                kept = httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=4.0)
                self._inner = httpx.AsyncHTTPTransport(verify=trust, trust_env=False, limits=kept)
            return self._inner

    async def _read(self, response: httpx.Response) -> HttpAnswer:
        body = bytearray()
        try:
            async with contextlib.aclosing(cast("AsyncGenerator[bytes]", response.aiter_raw())) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > self._limits.answer_bytes:
                        raise self._too_large()
        finally:
            await response.aclose()
        return HttpAnswer(response.status_code, response.headers, self._unpacked(response.headers, bytes(body)))

    def _unpacked(self, headers: httpx.Headers, body: bytes) -> bytes:
        """The body without the packing that a proxy in between may add although nobody asked for it."""
        packing = headers.get("content-encoding", "identity").strip().lower()
        if packing in ("identity", "") or not body:
            return body
        if packing not in ("gzip", "x-gzip"):
            raise AnswerUnreadable
        unpacker = zlib.decompressobj(_GZIP_WINDOW)
        try:
            plain = unpacker.decompress(body, self._limits.answer_bytes)
        except zlib.error as error:
            raise AnswerUnreadable from error
        if unpacker.unconsumed_tail:
            raise self._too_large()
        return plain

    def _too_large(self) -> AnswerUnreadable:
        host = sanitize(self.address.host, 200)
        return AnswerUnreadable(f"The answer of {host} is larger than any of a New API server, and was not read.")


def _number(value: Decimal) -> int | float:
    """A number for JSON. The server's are doubles, so that none changes on its way back."""
    is_whole = value == value.to_integral_value() and abs(value) < _LARGEST_EXACT
    return int(value) if is_whole else float(value)


def redirect_target(answer: HttpAnswer) -> str:
    """The origin that a redirect leads to, for a sentence; empty if there is none."""
    parts = urlsplit(answer.headers.get("location", ""))
    return sanitize(f"{parts.scheme}://{parts.netloc}", 200) if parts.scheme and parts.netloc else ""
