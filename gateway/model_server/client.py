"""The one way to the model server.

Its address is the administrator's, so it may lie in a private network. Requests go through httpx's transport and not
through a client, which would log addresses, keep cookies, and know how to follow redirects and proxies.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping
from http import HTTPStatus
from typing import Final, cast

import httpx

from gateway.model_server.connections import ModelServerTransport
from gateway.model_server.error_reasons import Reason, failure, masked, reason_in, without_server
from gateway.network_errors import FOREIGN
from gateway.outbound import system_trust
from gateway.problems import OpenAiProblem
from gateway.site_view import SiteView
from store.errors import UpstreamFailed

LOGGER: Final = logging.getLogger("gatekey.relay")
WAITS: Final = {"connect": 5.0, "read": 300.0, "write": 30.0, "pool": 5.0}
"""Seconds. `read` is the longest silence, before an answer or within one."""
LONGEST_CALL: Final = 50 * 60
"""Seconds. Shorter than `store.reservations.ABANDONED_AFTER`, after which what a call holds is given back."""
LONGEST_ANSWER: Final = 64 * 1024 * 1024
LONGEST_ERROR: Final = 64 * 1024

TOLD: Final = frozenset({400, 403, 404, 409, 413, 415, 422, 429})
"""Statuses that are the client's doing. All others are between the gateway and the model server, and so is a 403
that gives no reason."""
_MOST_URLS: Final = 100
_NOT_CONFIGURED: Final = "The administrator has not configured a model server."


class ModelServerClient:
    """Connections to the model server, kept open between calls. Tests inject a `transport`."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._opening = asyncio.Lock()
        self._urls: dict[str, httpx.URL] = {}
        self.without_usage: set[str] = set()
        """Addresses of model servers that refuse to report the usage of a stream."""

    async def send(
        self, site: SiteView, method: str, path: str, content: bytes = b"", *, request_id: str
    ) -> httpx.Response:
        """The beginning of the answer to one request, whatever its status. The caller closes it.

        Raises `OpenAiProblem`: 503 without a model server, 502 or 504 if it cannot be reached.
        """
        if not site.upstream_url:
            raise OpenAiProblem(503, _NOT_CONFIGURED, code="upstream_missing")
        transport = self._transport or await self._open()
        url = self._url(site.upstream_url + path)
        # Complete headers and a stream: made from `content`, a request would work out both at some length.
        headers = _headers(site, url, content, request_id)
        body = _SentOnce(content)
        request = httpx.Request(method, url, headers=headers, stream=body, extensions={"timeout": WAITS})
        try:
            return await transport.handle_async_request(request)
        except FOREIGN as error:
            raise unreachable(error) from error

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()

    def _url(self, text: str) -> httpx.URL:
        # To parse an address takes longer than to write the whole request; all but those of tasks come again.
        if text not in self._urls:
            if len(self._urls) >= _MOST_URLS:
                self._urls.clear()
            self._urls[text] = httpx.URL(text)
        return self._urls[text]

    async def _open(self) -> httpx.AsyncBaseTransport:
        async with self._opening:
            if self._transport is None:
                tls = await asyncio.to_thread(system_trust)  # it reads files
                self._transport = ModelServerTransport(tls)
            return self._transport


class _SentOnce(httpx.AsyncByteStream):
    """The body of one request, which is let go of once it is sent.

    httpcore keeps a request until its answer is closed. A stream lasts for minutes, and its body may have 32 MiB.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content, self._content = self._content, b""
        yield content


def _headers(site: SiteView, url: httpx.URL, content: bytes, request_id: str) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"Host", url.netloc),
        (b"Accept-Encoding", b"identity"),
        (b"User-Agent", b"Gatekey"),
        (b"X-Request-Id", request_id.encode()),
    ]
    if site.upstream_key:
        headers.append((b"Authorization", b"Bearer " + site.upstream_key.encode()))
    if content:
        headers += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(content))]
    return headers


async def read_all(response: httpx.Response, limit: int = LONGEST_ANSWER) -> bytes:
    """The whole body, as sent. Raises `OpenAiProblem` 502 or 504; `limit` is in bytes."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise UpstreamFailed("The model server compressed its answer, which was not asked of it.")
    body = bytearray()
    try:
        async for chunk in chunks(response):
            body += chunk
            if len(body) > limit:
                raise UpstreamFailed("The model server's answer was too long.")
    except FOREIGN as error:
        raise unreachable(error) from error
    return bytes(body)


def chunks(response: httpx.Response) -> AsyncIterable[bytes]:
    """The body as it comes in. It raises what is in `gateway.network_errors.FOREIGN`."""
    return cast("AsyncIterable[bytes]", response.stream)


def unreachable(error: Exception) -> OpenAiProblem:
    """The problem for a foreign exception. It names no host: that is the administrator's business."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return OpenAiProblem(504, "The model server did not answer in time.", code="upstream_timeout")
    if isinstance(error, httpx.ConnectError):
        return OpenAiProblem(502, "The model server could not be reached.", code="upstream_unreachable")
    return OpenAiProblem(502, "The model server broke off the connection.", code="upstream_broken")


async def refusal(response: httpx.Response, site: SiteView, told: Collection[int] = TOLD) -> OpenAiProblem:
    """The problem for an answer that is no success, with the gateway's key and the model server's address masked.

    A status in `told` is told on as the client's doing. Of all others the administrator is told the reason, and the
    client as well where the model server failed.
    """
    status, reason, secret, host = response.status_code, None, site.upstream_key, site.upstream_host
    # A refusal that cannot be read is still one: a 502 instead would be tried again.
    with contextlib.suppress(UpstreamFailed, OpenAiProblem):
        reason = reason_in(await read_all(response, LONGEST_ERROR))
    if status not in told or (reason is None and status == HTTPStatus.FORBIDDEN):
        return _fault(status, reason, site, _patience(response))
    if reason is None:
        reason = Reason(f"The model server answered {status}.")
    return OpenAiProblem(
        status,
        masked(without_server(reason.message, host), secret),
        kind=_word(reason.kind, site),
        code=_word(reason.code, site),
        param=_word(reason.param, site),
        headers=_patience(response),
    )


def _fault(status: int, reason: Reason | None, site: SiteView, headers: Mapping[str, str]) -> OpenAiProblem:
    """The problem for what went wrong between the gateway and the model server."""
    name = HTTPStatus(status).phrase if status in set(HTTPStatus) else "something unknown"
    sentence = f"The model server answered {status} ({name})"
    if reason is not None:
        LOGGER.warning("%s: %s", sentence, masked(reason.message, site.upstream_key))
    # Refused: the gateway's key or its credit. That is the administrator's business.
    is_told = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    told = failure(sentence, reason if is_told else None, secret=site.upstream_key, host=site.upstream_host)
    is_busy = status in (503, 529)
    return OpenAiProblem(503 if is_busy else 502, told, code="upstream_error", headers=headers)


def _patience(response: httpx.Response) -> dict[str, str]:
    value = response.headers.get("retry-after", "")
    return {"Retry-After": value} if value.isascii() and value.isdigit() and len(value) <= 5 else {}


def _word(value: str | None, site: SiteView) -> str | None:
    return None if value is None else masked(without_server(value, site.upstream_host), site.upstream_key)[:100]
