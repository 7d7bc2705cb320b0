"""Whether the gateway can do its work: read its data, and write them."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from gateway.problems import HttpProblem
from gateway.services import Services
from store.errors import (
    DatabaseBusy,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseUnreachable,
    StoreUnavailable,
)
from store.health import check_writable

HEALTHY_TTL_S: Final = 10.0
"""Seconds that a check which found nothing counts for: one small write in that time, whoever asks."""
UNHEALTHY_TTL_S: Final = 1.0
REASONS: Final[Mapping[type[StoreUnavailable], str]] = {
    DatabaseBusy: "database_busy",
    DatabaseFull: "disk_full",
    DatabaseReadOnly: "database_read_only",
    DatabaseUnreachable: "database_unreachable",
    StoreUnavailable: "database_unavailable",
}
"""For each error, the word of the nearest of its classes; the sentence is the administrator's business."""


class Unhealthy(HttpProblem):
    """The gateway cannot do its work. `reason` is one word, for a monitor."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, f"The gateway cannot do its work: {reason}.", headers={"Retry-After": "1"})
        self.reason = reason


class HealthCheck:
    """One write at a time, whose outcome is kept for everyone who asks meanwhile."""

    def __init__(self, services: Services, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._reason: str | None = None

    async def check(self) -> None:
        """Raises `Unhealthy`."""
        try:
            await self._services.threads.read(self._services.store.outbox.next_due)
        except StoreUnavailable as error:
            raise Unhealthy(reason_of(error)) from error
        async with self._lock:
            if self._monotonic() >= self._until:
                self._reason = await self._check_write()
                self._until = self._monotonic() + (HEALTHY_TTL_S if self._reason is None else UNHEALTHY_TTL_S)
        if self._reason is not None:
            raise Unhealthy(self._reason)

    async def _check_write(self) -> str | None:
        database = self._services.store.database
        try:
            await self._services.threads.read(lambda: check_writable(database))
        except StoreUnavailable as error:
            return reason_of(error)
        return None


def reason_of(error: StoreUnavailable) -> str:
    """The word for `error`."""
    return next(REASONS[kind] for kind in type(error).__mro__ if kind in REASONS)
