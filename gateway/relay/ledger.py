"""Books calls: settles the hold, charges the cost, and writes the usage log. Every admitted call is booked once."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypedDict, Unpack

from sqlalchemy import Connection

from gateway.problems import OpenAiProblem, problem_code
from gateway.relay.concurrency_limiter import TooManyCalls
from gateway.relay.output_limits import LimitCompliance
from gateway.relay.refusal_log import RefusalLog
from gateway.relay.usage import Usage
from gateway.services import Services
from store.api_key_use import KeyHolder
from store.errors import AlreadySettled, GatekeyError, ModelNotPriced, StoreUnavailable, UpstreamFailed
from store.reservations import Hold
from store.shortcut import Shortcut
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry

LOGGER: Final = logging.getLogger("gatekey.relay")
BOOKING_RETRY_DELAYS_S: Final = (0.2, 1.0, 5.0, 30.0, 120.0)
"""Seconds before each retry of a booking that the database refused."""
GATEWAY_STOPPED: Final = UpstreamFailed("The gateway was stopped before the model server had answered.")
LIMIT_HEADER: Final = "X-Gatekey-Max-Tokens"
"""Response header with the limit in tokens, in a response that was limited to what could be paid for."""
_LIMIT_REMARK: Final = "The answer was limited to {:,} tokens, which is what could be paid for."
BOOKING_TIMEOUT_S: Final = 180.0
"""Seconds bookings may take at shutdown: enough for all `BOOKING_RETRY_DELAYS_S`."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated sender of one request."""

    holder: KeyHolder
    address: str
    request_id: str
    started_at: float
    """By `time.perf_counter`."""

    def entry(self, kind: Kind, model: str, *, status: str = "ok", detail: str = "") -> UsageEntry:
        """The start of a usage log entry. The store decides whether the address is kept."""
        return UsageEntry(
            kind=kind,
            model=model,
            api_key_name=self.holder.key_name,
            request_id=self.request_id,
            status=status,
            detail=detail,
            duration_ms=int((time.perf_counter() - self.started_at) * 1000),
            client_ip=self.address or None,
        )


@dataclass(slots=True)
class AdmittedCall:
    """A call that passed admission: its price, and the hold that pays for it."""

    caller: Caller
    model: str
    kind: Kind
    price: ModelPrice | None
    hold: Hold
    limit: int | None = None
    """Tokens each answer was limited to, because no more could be paid for."""
    trusts_limit: bool = True
    """True if the model server was trusted to respect a limit in the request."""
    has_booker: bool = False
    """True if a task has taken over the booking. The first task to set it books the call."""
    response_id: str = ""
    """The response that the call stored at the model server."""
    booking: asyncio.Future[int] | None = None
    """The first try to book the call."""
    booked: UsageEntry | None = None
    """The log entry of the call, with the amount taken, once it is booked."""

    @property
    def headers(self) -> dict[str, str]:
        """Response headers that announce a limit which the request did not have."""
        return {LIMIT_HEADER: str(self.limit)} if self.limit else {}

    def with_limit_remark(self, refusal: OpenAiProblem) -> OpenAiProblem:
        """The model server's `refusal`, with a remark if the gateway added a limit that the client does not know of."""
        if self.limit is None or refusal.status != 400:
            return refusal
        sentence = f"{refusal} {_LIMIT_REMARK.format(self.limit)}"
        return OpenAiProblem(
            400, sentence, code=refusal.code, param=refusal.param, kind=refusal.kind, headers=refusal.headers
        )


class Remarks(TypedDict, total=False):
    """The parts of a log entry beside the usage of its call."""

    kind: Kind | None
    status: str
    detail: str
    batch: str
    """The id of the batch that the call created at the model server."""
    response_id: str
    """The id of the response that the model server stores."""


class Ledger:
    """Books calls in the store. One per application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.metrics = services.metrics
        self._bookings: set[asyncio.Future[Any]] = set()
        self._refusals = RefusalLog(services.store.usage, services.store.context.clock, services.threads)
        self.limit_compliance = LimitCompliance()

    async def book(self, admitted: AdmittedCall, usage: Usage | None, **more: Unpack[Remarks]) -> None:
        """Charge the cost of the call and log it. Without `usage` there was no answer, and nothing is charged."""
        self.begin_booking(admitted, usage, **more)
        await self.booked(admitted)

    async def booked(self, admitted: AdmittedCall) -> None:
        """Wait until the first try of a booking that has begun is over. It goes on even if the caller is cancelled."""
        if admitted.booking is not None:
            with contextlib.suppress(AlreadySettled, StoreUnavailable):
                await asyncio.shield(admitted.booking)

    def begin_booking(
        self,
        admitted: AdmittedCall,
        usage: Usage | None,
        *,
        kind: Kind | None = None,
        status: str = "ok",
        detail: str = "",
        batch: str = "",
        response_id: str = "",
    ) -> None:
        """As `book`, without waiting for its end."""
        admitted.has_booker = True
        detail = " ".join(filter(None, (detail, _LIMIT_REMARK.format(admitted.limit) if admitted.limit else "")))
        entry = admitted.caller.entry(kind or admitted.kind, admitted.model, status=status, detail=detail)
        entry = entry._replace(
            request_id=batch or entry.request_id,
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
            unpriced=admitted.price is None or admitted.price.is_default,
            cached_tokens=usage.cached_tokens if usage else 0,
            images=usage.pictures if usage else 0,
            price=admitted.price,
        )
        cost = usage.cost(admitted.price) if usage else 0
        admitted.response_id = response_id
        admitted.booking = self._write_first(admitted, cost, entry)

    async def book_failure(self, admitted: AdmittedCall, error: GatekeyError, status: str) -> None:
        """Log that the call failed. Nothing is charged."""
        if isinstance(error, TooManyCalls):
            self.metrics.refused(status)
        elif error is not GATEWAY_STOPPED:
            self.metrics.model_server_failed(status)
        await self.book(admitted, None, kind=Kind.ERROR, status=status, detail=str(error))

    def book_cancelled(self, holding: Awaitable[Hold], admit: Callable[[Hold], AdmittedCall]) -> None:
        """Book a call that was cancelled during `holding`; `admitted` makes the admitted call from its result."""

        async def book_cancelled() -> None:
            with contextlib.suppress(GatekeyError):
                await self.book_failure(admit(await holding), GATEWAY_STOPPED, problem_code(GATEWAY_STOPPED))

        self._start(book_cancelled())

    async def log_refusal(self, caller: Caller, model: str, error: GatekeyError, status: str) -> None:
        """Log a call that was refused before its hold. Many refusals within a minute are logged as one count."""
        self.metrics.refused(status)
        if isinstance(error, StoreUnavailable):
            return  # logging would only wait for the database once more
        store, entry = self._services.store, caller.entry(Kind.ERROR, model, status=status, detail=str(error))

        def note(tx: Connection) -> None:
            if isinstance(error, ModelNotPriced):
                store.pricing.note_unpriced(tx, caller.holder.account_id, model)

        await self._refusals.log(caller.holder.account_id, entry, note)

    async def drain(self) -> None:
        """Wait until every booking is made, at most `BOOKING_TIMEOUT_S`."""
        try:
            async with asyncio.timeout(BOOKING_TIMEOUT_S):
                while self._bookings:
                    await asyncio.wait(set(self._bookings))
        except TimeoutError:
            LOGGER.error("Calls that were not booked before the gateway stopped: %d", len(self._bookings))
            for booking in self._bookings:
                booking.cancel()
        await self._refusals.drain()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        booking = asyncio.create_task(work)
        self._bookings.add(booking)
        booking.add_done_callback(self._bookings.discard)
        return booking

    def _write(self, admitted: AdmittedCall, cost: int, entry: UsageEntry) -> asyncio.Future[int]:
        """Book the call; returns the amount that is taken, once it is. `drain` waits for it."""
        booking = self._services.threads.write(
            partial(self._book, admitted, cost, entry),
            account_id=admitted.hold.account_id,
            shortcut=partial(self._shortcut, admitted, cost, entry),
        )
        self._bookings.add(booking)
        booking.add_done_callback(self._bookings.discard)
        return booking

    def _book(self, admitted: AdmittedCall, cost: int, entry: UsageEntry, tx: Connection) -> int:
        store, account_id = self._services.store, admitted.hold.account_id
        taken = store.quota.book(tx, admitted.hold, cost, entry)
        if admitted.response_id:
            tokens = entry.prompt_tokens + entry.completion_tokens
            store.stored_responses.register(tx, account_id, admitted.response_id, tokens)
        return taken

    def _shortcut(self, admitted: AdmittedCall, cost: int, entry: UsageEntry) -> Shortcut[int] | None:
        if admitted.response_id:
            return None
        return self._services.store.quota.shortcuts.book(admitted.hold, cost, entry)

    def _write_first(self, admitted: AdmittedCall, cost: int, entry: UsageEntry) -> asyncio.Future[int]:
        """As `_write`. If the database cannot be written, it is tried again, after the response."""
        booking = self._write(admitted, cost, entry)

        def settle(booking: asyncio.Future[int]) -> None:
            if booking.cancelled():
                return  # by `drain`, which has logged it
            error = booking.exception()
            if isinstance(error, StoreUnavailable):
                # If this try succeeded after all, the retry finds nothing left to book.
                self._start(self._book_again(admitted, cost, entry))
            elif error is None or isinstance(error, AlreadySettled):
                self._note_settled(admitted, entry, booking)
            else:
                # Whoever waits for the booking is told, but nobody may.
                kind = type(error).__name__
                LOGGER.error("A call of account %d was not booked: %s", admitted.caller.holder.account_id, kind)

        booking.add_done_callback(settle)
        return booking

    async def _book_again(self, admitted: AdmittedCall, cost: int, entry: UsageEntry) -> None:
        for pause in BOOKING_RETRY_DELAYS_S:
            await asyncio.sleep(pause)
            booking = self._write(admitted, cost, entry)
            with contextlib.suppress(StoreUnavailable):
                with contextlib.suppress(AlreadySettled):
                    await booking
                self._note_settled(admitted, entry, booking)
                return
        LOGGER.error("A call of account %d could not be booked", admitted.caller.holder.account_id)

    def _note_settled(self, admitted: AdmittedCall, entry: UsageEntry, booking: asyncio.Future[int]) -> None:
        """Note that nothing is held for the call any more. `booking` has the amount that was taken.

        Without one the account was deleted, or the call booked by an earlier try.
        """
        if booking.exception() is None:
            admitted.booked = entry._replace(cost_micro_usd=booking.result())
            self.metrics.call_booked(admitted.booked)
        self.metrics.hold_settled()
