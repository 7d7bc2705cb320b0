"""Sends the notifications in the outbox, with leases, so that no two processes send the same one, and with retries.

A message that was sent but not recorded as sent is sent again when its lease expires, with the same id.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from gateway.channels import email
from gateway.channels.email import MAIL_TIMEOUTS, EmailTarget
from gateway.channels.message import Message
from gateway.channels.target import Transport
from gateway.connect import DEFAULT_TIMEOUTS, Resolve, Timeouts, system_resolver
from gateway.messages import build_message
from gateway.outbound import Outbound, system_trust
from gateway.retry import next_attempt
from gateway.targets import Destination, find_destination
from store.addresses import AllowList
from store.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseUnreachable,
    DeliveryFailed,
    GatekeyError,
    NoSuchAccount,
    StoreUnavailable,
)
from store.outbox import TEST, Job
from store.quota_warnings import QUOTA_WARNING
from store.sections import Channel
from store.store import Store
from store.values.notifications import LastDelivery

T = TypeVar("T")
LOGGER: Final = logging.getLogger("gatekey.dispatcher")
CONCURRENT_DELIVERIES: Final = 3
"""Deliveries under way at the same time. All of them end well within their lease."""
POLL_INTERVAL_S: Final = 1.0
"""Seconds between two queries of the outbox."""
RETRY_DELAY_S: Final = 5.0
"""Seconds to wait when the database cannot be reached."""
OTHER_PROCESS_TIMEOUT_S: Final = 40.0
"""Seconds `deliver_now` waits for another process that leased the message first."""
_CHANNEL_SWITCHED_OFF: Final = "The channel was switched off."


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """One failed delivery."""

    channel: Channel
    kind: str
    sentence: str
    next_attempt_at: datetime | None
    """None: no further attempt."""


@dataclass(frozen=True, slots=True)
class DispatchResult:
    """The result of trying every due message once."""

    delivered: int
    failed: tuple[FailedAttempt, ...] = ()


@dataclass(frozen=True, slots=True)
class DeliveryTransports:
    """The network settings of deliveries. Tests inject trusted certificates, name resolution and timeouts."""

    trust: Callable[[], ssl.SSLContext] = system_trust
    resolve: Resolve = system_resolver
    web_timeouts: Timeouts = DEFAULT_TIMEOUTS
    mail_timeouts: Timeouts = MAIL_TIMEOUTS


class Dispatcher:
    """Delivers the messages of one store, on one event loop."""

    def __init__(self, store: Store, transports: DeliveryTransports | None = None) -> None:
        self._store = store
        self._transports = transports or DeliveryTransports()
        self._http_tls: ssl.SSLContext | None = None
        self._mail_tls: ssl.SSLContext | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver due messages until `stop` is set, then finish the deliveries under way."""
        while not stop.is_set():
            pause = POLL_INTERVAL_S
            try:
                if await asyncio.to_thread(self._store.deliveries.is_anything_due):
                    await self.run_due(stop)
            except StoreUnavailable as error:
                LOGGER.warning("The outbox could not be read: %s", error)
                pause = RETRY_DELAY_S
            await _wait(stop, pause)

    async def run_due(self, stop: asyncio.Event | None = None) -> DispatchResult:
        """Try every due message once.

        After `stop` is set, only deliveries under way are finished. Raises `StoreUnavailable`.
        """
        failed: list[FailedAttempt] = []

        async def work() -> int:
            delivered = 0
            while not (stop and stop.is_set()):
                jobs = await asyncio.to_thread(self._store.outbox.lease, 1)
                if not jobs:
                    break
                outcome = await self.attempt(jobs[0])
                if isinstance(outcome, FailedAttempt):
                    failed.append(outcome)
                else:
                    delivered += outcome
            return delivered

        # Wait for all, whatever one raises: each delivery is recorded, and no task is left running.
        delivered = 0
        for outcome in await asyncio.gather(*(work() for _ in range(CONCURRENT_DELIVERIES)), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
            delivered += outcome
        return DispatchResult(delivered, tuple(failed))

    async def attempt(self, job: Job) -> bool | FailedAttempt:
        """Try to deliver one leased job and record the outcome: True if delivered, False if it no longer exists.

        Raises `StoreUnavailable`.
        """
        destination: Destination | None = None
        try:
            destination = await asyncio.to_thread(find_destination, self._store, job)
            await self._send(build_message(job), destination)
        except NoSuchAccount:
            return False  # the account was deleted meanwhile, and the message with it
        except (DatabaseBusy, DatabaseUnreachable):
            raise  # no attempt was made, so none is counted; the lease expires
        except DatabaseDamaged as error:
            await asyncio.to_thread(self._store.outbox.mark_damaged, job)
            return FailedAttempt(job.channel, job.kind, str(error), None)
        except GatekeyError as error:
            return await self._note_failure(job, destination, error)
        return await asyncio.to_thread(self._store.outbox.delivered, job)

    async def _send(self, message: Message, destination: Destination) -> None:
        context, transports, target = self._store.context, self._transports, destination.target
        if isinstance(target, EmailTarget):
            tls = await self._mail_trust()
            await email.send(message, target, tls=tls, timeouts=transports.mail_timeouts, resolve=transports.resolve)
        else:
            await target.deliver(
                message, Transport(await self._outbound(destination.allow), context.clock, context.rng)
            )

    async def _note_failure(self, job: Job, destination: Destination | None, error: GatekeyError) -> FailedAttempt:
        outbox, sentence = self._store.outbox, str(error)
        is_permanent = isinstance(error, DeliveryFailed) and error.permanent
        if is_permanent and job.kind == QUOTA_WARNING and destination is not None and destination.version is not None:
            version = destination.version
            if await asyncio.to_thread(lambda: outbox.disable_channel(job, version=version)):
                sentence = f"{sentence} {_CHANNEL_SWITCHED_OFF}"
        following = None
        if not is_permanent and job.kind != TEST:
            asked = error.retry_after if isinstance(error, DeliveryFailed) else None
            context = self._store.context
            following = next_attempt(job.attempts + 1, context.now(), asked, context.rng)
        await asyncio.to_thread(outbox.failed, job, sentence, following)
        return FailedAttempt(job.channel, job.kind, sentence, following)

    async def _outbound(self, allow: AllowList) -> Outbound:
        if self._http_tls is None:
            self._http_tls = await asyncio.to_thread(self._transports.trust)
        transports = self._transports
        return Outbound(self._http_tls, allow=allow, timeouts=transports.web_timeouts, resolve=transports.resolve)

    async def _mail_trust(self) -> ssl.SSLContext:
        # A context of its own: httpcore sets the ALPN protocols of HTTP on the other one.
        if self._mail_tls is None:
            self._mail_tls = await asyncio.to_thread(self._transports.trust)
        return self._mail_tls


def run_once(store: Store, transports: DeliveryTransports | None = None) -> DispatchResult:
    """Try every due message once, for `gatekey notify --once`. Raises `StoreUnavailable`."""
    store.quota_warnings.warn_postponed()
    return asyncio.run(Dispatcher(store, transports).run_due())


async def deliver_now(
    store: Store, delivery_id: int, transports: DeliveryTransports | None = None
) -> LastDelivery | None:
    """Deliver one message now and return the result: `Send test` in the console.

    If another process leased it first, wait for its result. None if the message was deleted with its account. Raises
    `StoreUnavailable`.
    """
    jobs = await asyncio.to_thread(lambda: store.outbox.lease(1, delivery_id=delivery_id))
    for job in jobs:
        await Dispatcher(store, transports).attempt(job)
    loop = asyncio.get_running_loop()
    until = loop.time() + OTHER_PROCESS_TIMEOUT_S
    while True:
        result = await asyncio.to_thread(store.deliveries.find, delivery_id)
        if jobs or result is None or result.attempts or loop.time() >= until:
            return result
        await asyncio.sleep(0.2)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
