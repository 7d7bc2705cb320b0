"""HTTP requests to URLs that users entered, kept out of private networks (SSRF protection).

`connect_tcp` checks the very IP address that is dialled, so a name that resolves differently the second time is no
bypass. Requests use httpx's transport instead of `httpx.AsyncClient`, which logs every URL, shares one cookie jar
between accounts, and follows redirects and proxies.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

import httpcore
import httpx

from gateway.connect import DEFAULT_TIMEOUTS, Resolve, Timeouts, first_to_connect, resolve_host, system_resolver
from gateway.h11_patterns import use_linear_patterns
from gateway.network_errors import NETWORK_ERRORS, delivery_failure
from store.addresses import AllowList, is_host
from store.errors import AddressRefused, InvalidUrl
from store.text import is_sanitized

MAX_RESPONSE_BYTES: Final = 64 * 1024
"""Bytes of a response that are read; the rest is dropped."""

_HEADERS: Final = {"User-Agent": "Gatekey", "Accept-Encoding": "identity", "Connection": "close"}
_MAX_URL_CHARACTERS: Final = 2048
_URL: Final = re.compile(r"https?://[^/?#@\\\s]+(?:[/?][^#\\\s]*)?", re.IGNORECASE)
"""No user name, no fragment, no backslash: URLs whose host two parsers could read differently are refused."""

EMPTY_ALLOW_LIST: Final = AllowList()


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """A server's response. `body` holds its first `MAX_RESPONSE_BYTES` bytes, undecoded."""

    status: int
    headers: httpx.Headers
    body: bytes


def system_trust() -> ssl.SSLContext:
    """A context that trusts the CA certificates of the system and of Mozilla. Reads files: use a thread."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def require_verification(tls: ssl.SSLContext) -> ssl.SSLContext:
    """Return `tls`.

    Raises:
        ValueError: if it would accept an unverified certificate, or one for another name.
    """
    if tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
        raise ValueError("TLS has to verify the certificate and its name")
    return tls


def parse_web_url(url: str) -> httpx.URL:
    """Parse `url`: http or https, one host, no user name and no fragment.

    Raises:
        InvalidUrl: for anything else. Whether the host may be reached is decided when connecting.
    """
    if len(url) > _MAX_URL_CHARACTERS or not is_sanitized(url) or not _URL.fullmatch(url):
        raise InvalidUrl
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidUrl from error
    host = host_of(parsed)
    if not is_host(f"[{host}]" if ":" in host else host):
        raise InvalidUrl
    # RFC 1034, 3.1: a name may end in a dot; the names in certificates do not.
    return parsed.copy_with(host=host.removesuffix(".")) if host.endswith(".") else parsed


def host_of(url: httpx.URL) -> str:
    """The host of `url` in ASCII (punycode, RFC 5891), IPv6 without brackets."""
    return url.raw_host.decode("ascii")


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """A network backend that connects only to public addresses and to allowed ones.

    `dial` makes the connection. It receives checked addresses only, never a name.
    """

    def __init__(
        self, allow: AllowList, resolve: Resolve, dial: httpcore.AsyncNetworkBackend, timeouts: Timeouts
    ) -> None:
        self._allow = allow
        self._resolve = resolve
        self._dial = dial
        self._timeouts = timeouts
        self._streams: list[httpcore.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises AddressRefused if any address of `host` is refused, DeliveryFailed if there is none."""
        _refuse_if(self._allow.refusal_of_port(host, port))
        addresses = await resolve_host(self._resolve, host, port)
        for address in addresses:
            _refuse_if(self._allow.refusal(host, port, address))

        async def dial(address: str, seconds: float) -> httpcore.AsyncNetworkStream:
            return await self._dial.connect_tcp(address, port, seconds, local_address, socket_options)

        seconds = self._timeouts.connect if timeout is None else timeout
        self._streams.append(await first_to_connect(addresses, seconds, dial))
        return self._streams[-1]

    async def aclose(self) -> None:
        """Close the streams that httpcore leaks: it forgets a connection that is cancelled during the TLS handshake."""
        for stream in self._streams:
            await stream.aclose()


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over a `GuardedBackend`. TLS is verified against the host name of the URL."""

    def __init__(self, tls: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(ssl_context=tls, network_backend=backend)


class Outbound:
    """Sends requests, each over a connection of its own, so nothing needs closing.

    `allow` is the administrator's list of private targets. Tests inject `resolve`, `dial` and `timeouts`. Use `tls` for
    HTTP only: httpcore sets its ALPN protocols.
    """

    def __init__(
        self,
        tls: ssl.SSLContext,
        *,
        allow: AllowList = EMPTY_ALLOW_LIST,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        resolve: Resolve = system_resolver,
        dial: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        use_linear_patterns()
        self._tls = require_verification(tls)
        self._timeouts = timeouts
        self._allow = allow
        self._resolve = resolve
        self._dial = dial or httpcore.AnyIOBackend()

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> OutboundResponse:
        """The response to one POST, whatever its status. Redirects are not followed.

        Raises:
            InvalidUrl: if `url` is not a web address.
            AddressRefused: if it is in a private network, or has an unusual port, and is not allowed.
            DeliveryFailed: if no complete response arrived within the timeouts.
        """
        address = parse_web_url(url)
        waits = httpx.Timeout(self._timeouts.total, connect=self._timeouts.connect)
        request = httpx.Request(
            "POST",
            address,
            content=content,
            headers={**_HEADERS, **headers},
            extensions={"timeout": waits.as_dict()},
        )
        backend = GuardedBackend(self._allow, self._resolve, self._dial, self._timeouts)
        try:
            async with (
                asyncio.timeout(self._timeouts.total),
                contextlib.aclosing(backend),
                GuardedTransport(self._tls, backend) as transport,
            ):
                return await _exchange(transport, request)
        except NETWORK_ERRORS as error:
            raise delivery_failure(error, host_of(address)) from error


async def _exchange(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> OutboundResponse:
    response = await transport.handle_async_request(request)
    body = bytearray()
    try:
        async with contextlib.aclosing(cast("AsyncGenerator[bytes]", response.aiter_raw())) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) >= MAX_RESPONSE_BYTES:
                    break
    finally:
        await response.aclose()
    return OutboundResponse(response.status_code, response.headers, bytes(body[:MAX_RESPONSE_BYTES]))


def _refuse_if(reason: str) -> None:
    if reason:
        raise AddressRefused(reason)
