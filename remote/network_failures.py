"""Exceptions of httpx, ssl and sockets as errors for a person, by table."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

import httpx

from store.errors import AnswerLost, AnswerUnreadable, CertificateRefused, ServerFailed, ServerUnreachable
from store.text import sanitize

NETWORK_ERRORS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
"""Everything that a request may raise; `TimeoutError` is an OSError."""

_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Failures before a byte of the request was written."""

_SENTENCES: Final[Mapping[type[Exception], str]] = {
    ssl.SSLCertVerificationError: "The certificate of {host} was not accepted: {detail}. Nothing was sent.",
    ssl.SSLError: "{host} makes no secure connection. Check whether its address begins with http:// or https://.",
    socket.gaierror: "The name {host} could not be resolved. Check the address and your connection.",
    ConnectionRefusedError: "{host} refused the connection. Check the address and the port.",
    ConnectionError: "{host} broke off the connection.",
    TimeoutError: "{host} did not answer in time.",
    OSError: "{host} could not be reached.",
    httpx.TimeoutException: "{host} did not answer in time.",
    httpx.ConnectError: "{host} could not be reached.",
    httpx.ProtocolError: "{host} does not answer in HTTP. Check whether its address begins with http:// or https://.",
    httpx.TransportError: "The connection to {host} failed.",
    httpx.HTTPError: "The request to {host} could not be sent.",
    httpx.InvalidURL: "The address of {host} cannot be used.",
    httpx.DecodingError: "The answer of {host} could not be read.",
    httpx.StreamError: "The answer of {host} could not be read.",
}
"""For each exception, the sentence of the nearest of its classes. None quotes the other side."""

_SPECIFIC: Final = (ssl.SSLError, socket.gaierror, ConnectionError, TimeoutError, httpx.TimeoutException)
"""Causes that say more than the exception that wraps them."""


def server_failure(error: Exception, host: str, *, changes: bool) -> ServerFailed:
    """The error for `error`. `changes` tells whether the request would change something on the server."""
    specific = next((cause for cause in _causes(error) if isinstance(cause, _SPECIFIC)), error)
    sentence = next(_SENTENCES[kind] for kind in type(specific).__mro__ if kind in _SENTENCES)
    # OpenSSL's phrase, such as "certificate has expired".
    detail = getattr(specific, "verify_message", "").rstrip(".") or "it could not be verified"
    told = sanitize(sentence.format(host=host, detail=detail), 300)
    if isinstance(specific, ssl.SSLCertVerificationError):
        return CertificateRefused(told)
    if changes and not was_never_sent(error):
        return AnswerLost(f"{told} {AnswerLost.sentence}")
    if isinstance(error, httpx.DecodingError | httpx.StreamError):
        return AnswerUnreadable(told)
    return ServerUnreachable(told)


def was_never_sent(error: Exception) -> bool:
    """True if no byte of the request can have reached the server."""
    return isinstance(error, _NEVER_SENT)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # httpcore's pool raises `from None`, which hides the cause but keeps the context.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
