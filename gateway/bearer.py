"""Bearer tokens in requests (RFC 6750): parsing, and throttling of clients that send bad ones."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.client_address import throttle_key
from gateway.problems import REALM, HttpProblem
from gateway.store_threads import StoreThreads
from store import tokens
from store.clock import Clock
from store.errors import NotAuthentic, TooManyAttempts
from store.throttle import BEARER_ATTEMPTS, RATE_WINDOW, Throttles

_HEADER: Final = b"authorization"
_KEY_HEADER: Final = b"x-api-key"
_BEARER: Final = re.compile(rb"bearer ([A-Za-z0-9_-]{1,200})", re.IGNORECASE)
_MAX_TRACKED_CLIENTS: Final = 10_000
_TOKEN_NAMES: Final = {tokens.API_KEY_PREFIX: "an API key", tokens.ACCESS_TOKEN_PREFIX: "a System Access Token"}


class BearerMissing(HttpProblem):
    """The request has no Authorization header. RFC 6750, 3.1 defines no error code for this case."""

    def __init__(self, what: str) -> None:
        sentence = f"The Authorization header is missing: send {what} in it, as Bearer and a space before it."
        super().__init__(401, sentence, headers={"WWW-Authenticate": REALM})


class BearerMalformed(NotAuthentic):
    """The header holds no well-formed token of ours. No database query was made."""

    title = "Invalid token"


def bearer_token(scope: Mapping[str, Any], prefix: str, what: str) -> str:
    """The token of a request, with the given `prefix` and a valid checksum; `what` is its name in error sentences.

    Makes no query. Raises `BearerMissing` or `BearerMalformed`. A token in the URL is ignored.
    """
    values = [value for name, value in scope["headers"] if name == _HEADER]
    if not values:
        raise BearerMissing(what)
    match = _BEARER.fullmatch(values[0]) if len(values) == 1 else None
    token = match[1].decode("ascii") if match else ""
    if not tokens.is_well_formed(token, prefix):
        raise BearerMalformed(_malformed(values, token, what))
    return token


def key_or_bearer_token(scope: Mapping[str, Any], prefix: str, what: str) -> str:
    """As `bearer_token`, and also from the `x-api-key` header, where Anthropic's clients send a key.

    That header counts if it holds a well-formed token: a client with two keys sends another service's there.
    """
    values = [value for name, value in scope["headers"] if name == _KEY_HEADER]
    token = values[0].decode("latin-1") if len(values) == 1 else ""
    if tokens.is_well_formed(token, prefix):
        return token
    if values and not any(name == _HEADER for name, _ in scope["headers"]):
        raise BearerMalformed(f"The x-api-key header is malformed: it is not {what}, or not all of it.")
    return bearer_token(scope, prefix, what)


def _malformed(values: list[bytes], token: str, what: str) -> str:
    """The error sentence for a header that holds no `what`. It quotes nothing: the header may hold another service's
    secret."""
    if len(values) > 1:
        return f"There is more than one Authorization header. Send {what} in one."
    if not token:
        return f"The Authorization header is malformed: it is Bearer, a space, and {what}."
    for prefix, name in _TOKEN_NAMES.items():
        if tokens.is_well_formed(token, prefix):
            return f"The Authorization header holds {name}, and this address takes {what}."
    return f"The Authorization header is malformed: what follows Bearer is not {what}, or not all of it."


@dataclass(slots=True)
class _Window:
    started_at: datetime
    failures: int


class BadBearers:
    """Counts bad tokens per client. A valid token is never refused, so a neighbour cannot lock anyone out.

    A malformed token is counted in this process alone, without a query. A token that only the database could refuse is
    also counted there, for all processes, until the client has reached its limit.
    """

    def __init__(self, throttles: Throttles, clock: Clock, threads: StoreThreads) -> None:
        self._throttles = throttles
        self._clock = clock
        self._threads = threads
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    async def count(self, address: str, *, was_looked_up: bool) -> None:
        """Count one bad token. Raises `TooManyAttempts` beyond `BEARER_ATTEMPTS` within `RATE_WINDOW`."""
        client, now = throttle_key(address), self._clock.now()
        window = self._window(client, now)
        window.failures += 1
        if window.failures > BEARER_ATTEMPTS:
            raise TooManyAttempts(max(window.started_at + RATE_WINDOW - now, RATE_WINDOW * 0))
        if was_looked_up:
            try:
                # In a writer thread: waiting for a lock in a reader thread would delay reads.
                await self._threads.write(lambda tx: self._throttles.count_bad_bearer(tx, client))
            except TooManyAttempts as error:
                window.failures = BEARER_ATTEMPTS + 1
                window.started_at = now + error.retry_after - RATE_WINDOW
                raise

    def _window(self, client: str, now: datetime) -> _Window:
        window = self._windows.get(client)
        if window is None or not window.started_at <= now < window.started_at + RATE_WINDOW:
            window = self._windows[client] = _Window(now, 0)
        self._windows.move_to_end(client)
        while len(self._windows) > _MAX_TRACKED_CLIENTS:
            self._windows.popitem(last=False)
        return window
