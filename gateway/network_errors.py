"""Maps exceptions of httpx, ssl and sockets to sentences for people, by table."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

import httpx

from store.errors import DeliveryFailed
from store.text import sanitize

SENTENCES: Final[Mapping[type[Exception], str]] = {
    ssl.SSLCertVerificationError: "The certificate of {host} was not accepted: {detail}.",
    ssl.SSLError: "A secure connection to {host} could not be made.",
    socket.gaierror: "The name {host} could not be resolved.",
    UnicodeError: "The name {host} could not be resolved.",
    ConnectionRefusedError: "{host} refused the connection.",
    ConnectionError: "{host} broke off the connection.",
    TimeoutError: "{host} did not answer in time.",
    OSError: "{host} could not be reached.",
    httpx.ConnectTimeout: "{host} could not be reached in time.",
    httpx.ReadTimeout: "{host} did not answer in time.",
    httpx.WriteTimeout: "{host} did not take the message in time.",
    httpx.PoolTimeout: "Too many messages were on their way to {host}.",
    httpx.TimeoutException: "{host} did not answer in time.",
    httpx.ConnectError: "{host} could not be reached.",
    httpx.ReadError: "{host} broke off the connection.",
    httpx.WriteError: "{host} broke off the connection.",
    httpx.CloseError: "{host} broke off the connection.",
    httpx.NetworkError: "The connection to {host} failed.",
    httpx.ProxyError: "A proxy stood between here and {host}.",
    httpx.UnsupportedProtocol: "{host} can only be reached by http or https.",
    httpx.LocalProtocolError: "The message to {host} could not be written as HTTP.",
    httpx.RemoteProtocolError: "{host} did not answer in HTTP.",
    httpx.ProtocolError: "{host} did not answer in HTTP.",
    httpx.TransportError: "The connection to {host} failed.",
    httpx.DecodingError: "The answer of {host} could not be read.",
    httpx.TooManyRedirects: "{host} answered with a redirect, and redirects are not followed.",
    httpx.RequestError: "The message to {host} could not be sent.",
    httpx.HTTPStatusError: "{host} answered with an error.",
    httpx.HTTPError: "The message to {host} could not be sent.",
    httpx.InvalidURL: "The address of {host} cannot be used.",
    httpx.CookieConflict: "The answer of {host} could not be read.",
    httpx.StreamError: "The answer of {host} could not be read.",
}
"""For each exception, the sentence of the nearest of its classes. None quotes the other side."""

NETWORK_ERRORS: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    httpx.StreamError,
    OSError,
)
"""Everything that httpx and ssl may raise."""

_SPECIFIC_CAUSES: Final = (ssl.SSLError, socket.gaierror, ConnectionError)
"""Causes that are more specific than the exception that wraps them."""

_TIMEOUT_CAUSES: Final = (TimeoutError, httpx.TimeoutException)
"""For a timeout, the operation under way does not matter."""


def delivery_failure(error: Exception, host: str) -> DeliveryFailed:
    """The error for `error`, or for the most specific of its causes. It is not permanent."""
    specific = next(
        (cause for cause in _causes(error) if isinstance(cause, (*_SPECIFIC_CAUSES, *_TIMEOUT_CAUSES))), error
    )
    sentence = next(SENTENCES[kind] for kind in type(specific).__mro__ if kind in SENTENCES)
    # The phrase is OpenSSL's: "certificate has expired", "Hostname mismatch, certificate is not valid for '...'".
    detail = getattr(specific, "verify_message", "").rstrip(".")
    return DeliveryFailed(sanitize(sentence.format(host=host, detail=detail), 300))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # httpcore's pool raises `from None`, which hides the cause but keeps the context.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
