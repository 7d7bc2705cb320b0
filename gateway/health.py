"""Health check: the gateway can read and write its data. Readiness: and its code fits the data, and it takes calls."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

from gateway.problems import HttpProblem
from gateway.services import Services
from store import schema
from store.errors import (
    DatabaseBusy,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseUnreachable,
    SchemaTooNew,
    SchemaTooOld,
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
    SchemaTooNew: "schema_too_new",
    SchemaTooOld: "schema_too_old",
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

    async def check_ready(self) -> None:
        """As `check`, and the database has the schema of this version. Raises `Unhealthy`.

        A gateway that is being stopped needs no code: it has closed its listening socket.
        """
        await self.check()
        try:
            await self._services.threads.read(self._check_schema)
        except StoreUnavailable as error:
            raise Unhealthy(reason_code(error)) from error

    def _check_schema(self) -> None:
        with self._services.store.database.read() as tx:
            schema.check(tx)

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
