"""The drawers of the front process: the blocking store behind the event loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from store.errors import GatekeyError
from store.store import Store
from store.values.drawer import DrawerFetch, DrawerItem

LOGGER: Final = logging.getLogger("gatekey.ssh")
THREADS: Final = 2
"""Threads that read and decrypt. They are not those of the sign-ins, which a long fetch must not hold up."""
PURGE_INTERVAL_S: Final = 300.0
T = TypeVar("T")


class Drawers:
    """Lists and hands out the drawer of a session.

    Its coroutines run on one event loop, and raise the errors of the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(THREADS, "gatekey-drawer")

    async def items(self, token: str) -> tuple[DrawerItem, ...]:
        return await self._run(lambda: self._store.drawer.list(token))

    async def claim(self, token: str, name: str) -> DrawerFetch:
        """As `store.drawer.Drawer.claim`. A claim that nobody waits for any more is given back."""
        future = self._pool.submit(self._store.drawer.claim, token, name)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(self._discard)
            raise

    async def read(self, token: str, fetch: DrawerFetch, number: int, *, is_last_missing: bool) -> bytes:
        return await self._run(lambda: self._store.drawer.read(token, fetch, number, is_last_missing=is_last_missing))

    def release(self, fetch: DrawerFetch) -> None:
        """Give back, in a thread, what was not fetched whole."""
        self._pool.submit(self._release, fetch)

    async def purge_until(self, stop: asyncio.Event) -> None:
        """Remove what is over, at once and every `PURGE_INTERVAL_S` seconds, until `stop` is set."""
        while not stop.is_set():
            try:
                await self._run(self._store.drawer.purge)
            except GatekeyError as error:
                LOGGER.warning("What is over stays in the drawers for now: %s", error.title)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PURGE_INTERVAL_S)

    async def close(self) -> None:
        """Wait until everything was given back."""
        await asyncio.to_thread(self._pool.shutdown)

    async def _run(self, function: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._pool.submit(function))

    def _discard(self, future: "Future[DrawerFetch]") -> None:
        if not future.cancelled() and future.exception() is None:
            self._release(future.result())

    def _release(self, fetch: DrawerFetch) -> None:
        try:
            self._store.drawer.release(fetch)
        except GatekeyError as error:
            LOGGER.warning("An item of a drawer could not be given back: %s", error.title)
