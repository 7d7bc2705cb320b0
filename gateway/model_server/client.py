"""The HTTP client of the model server.

The administrator configures its address, so a private network is allowed. Requests use httpx's transport instead of
`httpx.AsyncClient`, which logs addresses, keeps cookies, and follows redirects and proxies.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

import httpx

from gateway.model_server.connections import ModelServerTransport, ResponseBody, Target
from gateway.model_server.error_reasons import ErrorReason, failure_sentence, mask_host, mask_secrets, reason_in_body
from gateway.model_server.request_headers import with_more_headers
from gateway.network_errors import NETWORK_ERRORS
from gateway.outbound import system_trust
from gateway.problems import OpenAiProblem
from gateway.site_view import SiteView
from store.errors import UpstreamFailed

if TYPE_CHECKING:
    from gateway.tracing import Tracing

LOGGER: Final = logging.getLogger("gatekey.relay")
TIMEOUTS: Final = {"connect": 5.0, "read": 300.0, "write": 30.0, "pool": 5.0}
"""Seconds. `read` is the longest silence before or within a response."""
MAX_CALL_S: Final = 50 * 60
"""Seconds. Shorter than `store.reservations.ABANDONED_AFTER`, after which the hold of a call is released."""
MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024
MAX_ERROR_BYTES: Final = 64 * 1024

CLIENT_ERROR_STATUSES: Final = frozenset({400, 403, 404, 409, 413, 415, 422, 429})
"""Statuses that the client caused. Any other status concerns the gateway and the model server alone, and so does a 403
without a reason."""
_MAX_CACHED_TARGETS: Final = 100
_NOT_CONFIGURED: Final = "The administrator has not configured a model server."


class ModelServerClient:
    """Sends requests over connections that stay open between calls. Tests inject a `transport`.

    `tracing` records a span of each.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, *, tracing: "Tracing | None" = None) -> None:
        self._tracing = tracing
        self._transport = None if transport is None else self._traced(transport)
        self._opening = asyncio.Lock()
        self._targets: dict[str, Target] = {}
        """By URL."""
        self.without_usage: set[str] = set()
        """Base URLs of model servers that refuse to report the usage of a stream."""

    async def send(
        self,
        site: SiteView,
        method: str,
        path: str,
        content: bytes = b"",
        *,
        request_id: str,
        more: Sequence[tuple[str, str]] = (),
    ) -> httpx.Response:
        """The response to one request, whatever its status; its body is unread. The caller closes it.

        `more` are headers beside the usual ones, or in place of them.

        Raises `OpenAiProblem`: 503 without a model server, 502 or 504 if it cannot be reached.
        """
        if not site.upstream_url:
            raise OpenAiProblem(503, _NOT_CONFIGURED, code="upstream_missing")
        try:
            target = self._target(site.upstream_url + path)
            headers = _headers(site, target, method, content, request_id)
            if more:
                headers = with_more_headers(headers, more, site.upstream_key)
            return await self._exchange(method, target, headers, content)
        except NETWORK_ERRORS as error:
            raise connection_problem(error) from error

    async def send_stream(
        self,
        site: SiteView,
        path: str,
        body: AsyncIterable[bytes],
        *,
        media_type: str,
        length: int | None,
        request_id: str,
    ) -> httpx.Response:
        """As `send`, for a POST whose body is passed on as it comes. `length` is in bytes, None if it is not known.

        Also raises what iterating `body` raises.
        """
        if not site.upstream_url:
            raise OpenAiProblem(503, _NOT_CONFIGURED, code="upstream_missing")
        framing = (b"Transfer-Encoding", b"chunked") if length is None else (b"Content-Length", b"%d" % length)
        try:
            target = self._target(site.upstream_url + path)
            headers = _headers(site, target, "POST", b"", request_id)
            headers = [(name, value) for name, value in headers if name != b"Content-Length"]
            headers += [(b"Content-Type", media_type.encode("ascii")), framing]
            return await self._exchange("POST", target, headers, body)
        except NETWORK_ERRORS as error:
            raise connection_problem(error) from error

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()

    async def _exchange(
        self, method: str, target: Target, headers: list[tuple[bytes, bytes]], body: bytes | AsyncIterable[bytes]
    ) -> httpx.Response:
        transport = self._transport or await self._open()
        if isinstance(transport, ModelServerTransport):
            return await transport.send(method, target, headers, body, timeouts=TIMEOUTS)
        # Complete headers and a stream: given `content`, httpx would compute both.
        stream = _ReleasedBody(body) if isinstance(body, bytes) else _PassedOnBody(body)
        request = httpx.Request(method, target.url, headers=headers, stream=stream, extensions={"timeout": TIMEOUTS})
        return await transport.handle_async_request(request)

    def _target(self, url: str) -> Target:
        # Parsing a URL takes longer than writing the whole request. All URLs but those of batches recur.
        if url not in self._targets:
            if len(self._targets) >= _MAX_CACHED_TARGETS:
                self._targets.clear()
            self._targets[url] = Target.of(httpx.URL(url))
        return self._targets[url]

    async def _open(self) -> httpx.AsyncBaseTransport:
        async with self._opening:
            if self._transport is None:
                tls = await asyncio.to_thread(system_trust)  # reads files
                self._transport = self._traced(ModelServerTransport(tls))
            return self._transport

    def _traced(self, transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        if self._tracing is None:
            return transport
        from gateway.tracing import TracedTransport

        return TracedTransport(transport, self._tracing)


class _ReleasedBody(httpx.AsyncByteStream):
    """The body of one request, released once it is sent.

    httpcore keeps a request until its response is closed. A stream lasts for minutes, and its request may have 32 MiB.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content, self._content = self._content, b""
        yield content


class _PassedOnBody(httpx.AsyncByteStream):
    """The body of one request, in the chunks of another."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk


def _headers(site: SiteView, target: Target, method: str, content: bytes, request_id: str) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"Host", target.host),
        (b"Accept-Encoding", b"identity"),
        (b"User-Agent", b"Gatekey"),
        (b"X-Request-Id", request_id.encode()),
    ]
    if site.upstream_key:
        headers.append((b"Authorization", b"Bearer " + site.upstream_key.encode()))
    if content:
        headers += [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(content))]
    elif method == "POST":
        headers.append((b"Content-Length", b"0"))
    return headers


async def read_body(response: httpx.Response, limit: int = MAX_RESPONSE_BYTES) -> bytearray:
    """The whole body, undecoded; `limit` is in bytes. Raises `UpstreamFailed`, and `OpenAiProblem` 502 or 504."""
    encodings = [value for name, value in response.headers.raw if name.lower() == b"content-encoding"]
    if any(encoding != b"identity" for encoding in encodings):
        raise UpstreamFailed("The model server compressed its answer, which was not asked of it.")
    body = bytearray()
    try:
        async for chunk in body_chunks(response):
            body += chunk
            if len(body) > limit:
                raise UpstreamFailed("The model server's answer was too long.")
    except NETWORK_ERRORS as error:
        raise connection_problem(error) from error
    return body


def body_chunks(response: httpx.Response) -> AsyncIterable[bytes]:
    """The body in chunks as they arrive. Iterating raises `gateway.network_errors.NETWORK_ERRORS`."""
    return cast("AsyncIterable[bytes]", response.stream)


def body_at_hand(response: httpx.Response) -> bytes:
    """The received part of the body; `body_chunks` goes on after it. Empty for another transport than the gateway's."""
    stream = response.stream
    return stream.at_hand() if isinstance(stream, ResponseBody) else b""


def connection_problem(error: Exception) -> OpenAiProblem:
    """The problem for a network error. It names no host, which only the administrator may know."""
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return OpenAiProblem(504, "The model server did not answer in time.", code="upstream_timeout")
    if isinstance(error, httpx.ConnectError):
        return OpenAiProblem(502, "The model server could not be reached.", code="upstream_unreachable")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return OpenAiProblem(502, "The address of the model server cannot be used.", code="upstream_unreachable")
    return OpenAiProblem(502, "The model server broke off the connection.", code="upstream_broken")


async def response_problem(
    response: httpx.Response, site: SiteView, client_statuses: Collection[int] = CLIENT_ERROR_STATUSES
) -> OpenAiProblem:
    """The problem for a response without success, with the gateway's key and the model server's address masked.

    A status in `client_statuses` is passed on to the client. For any other status the reason is logged, and the client
    receives it only if the model server failed (500 and above).
    """
    status, reason, secret, host = response.status_code, None, site.upstream_key, site.upstream_host
    # An unreadable error body is no reason for a 502, which the client would retry.
    with contextlib.suppress(UpstreamFailed, OpenAiProblem):
        reason = reason_in_body(await read_body(response, MAX_ERROR_BYTES))
    if status not in client_statuses or (reason is None and status == HTTPStatus.FORBIDDEN):
        return _server_problem(status, reason, site, _retry_after(response))
    if reason is None:
        reason = ErrorReason(f"The model server answered {status}.")
    return OpenAiProblem(
        status,
        mask_secrets(mask_host(reason.message, host), secret),
        kind=_masked_value(reason.kind, site),
        code=_masked_value(reason.code, site),
        param=_masked_value(reason.param, site),
        headers=_retry_after(response),
    )


def _server_problem(
    status: int, reason: ErrorReason | None, site: SiteView, headers: Mapping[str, str]
) -> OpenAiProblem:
    """The problem for a failure between the gateway and the model server."""
    name = HTTPStatus(status).phrase if status in set(HTTPStatus) else "something unknown"
    sentence = f"The model server answered {status} ({name})"
    if reason is not None:
        LOGGER.warning("%s: %s", sentence, mask_secrets(reason.message, site.upstream_key))
    # Below 500 the gateway's key or its credit was refused, which concerns the administrator alone.
    is_server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    shown = reason if is_server_error else None
    sentence = failure_sentence(sentence, shown, secret=site.upstream_key, host=site.upstream_host)
    is_busy = status in (503, 529)
    return OpenAiProblem(503 if is_busy else 502, sentence, code="upstream_error", headers=headers)


def _retry_after(response: httpx.Response) -> dict[str, str]:
    value = response.headers.get("retry-after", "")
    return {"Retry-After": value} if value.isascii() and value.isdigit() and len(value) <= 5 else {}


def _masked_value(value: str | None, site: SiteView) -> str | None:
    return None if value is None else mask_secrets(mask_host(value, site.upstream_host), site.upstream_key)[:100]
