"""Health check: the gateway can read and write its data."""

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
"""Seconds a successful check is cached: at most one probe write in that time."""
UNHEALTHY_TTL_S: Final = 1.0
REASON_CODES: Final[Mapping[type[StoreUnavailable], str]] = {
    DatabaseBusy: "database_busy",
    DatabaseFull: "disk_full",
    DatabaseReadOnly: "database_read_only",
    DatabaseUnreachable: "database_unreachable",
    StoreUnavailable: "database_unavailable",
}
"""For each error, the code of the nearest of its classes. Clients do not see the error's sentence."""


class Unhealthy(HttpProblem):
    """The gateway cannot do its work. `reason` is a code for monitoring."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, f"The gateway cannot do its work: {reason}.", headers={"Retry-After": "1"})
        self.reason = reason


class HealthCheck:
    """Runs one probe write at a time and caches its result for all callers."""

    def __init__(self, services: Services, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._reason: str | None = None

    async def check(self) -> None:
        """Raises `Unhealthy`."""
        try:
            await self._services.threads.read(self._services.store.deliveries.next_due)
        except StoreUnavailable as error:
            raise Unhealthy(reason_code(error)) from error
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
            return reason_code(error)
        return None


def reason_code(error: StoreUnavailable) -> str:
    """The code for `error`."""
    return next(REASON_CODES[kind] for kind in type(error).__mro__ if kind in REASON_CODES)
