"""The connection: the store of this machine, or of the demo."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from tui.data_place import place
from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.values.capabilities import Capabilities
    from tui.account import DemoCredentials


class LocalConnection(LocalTopic):
    """`ConnectionService` on the store."""

    @property
    def demo_credentials(self) -> DemoCredentials | None:
        if not self._options.demo:
            return None
        from tui.local_account.demo import credentials

        return credentials()

    @property
    def capabilities(self) -> Capabilities:
        from store.values.capabilities import EVERYTHING

        return EVERYTHING

    @property
    def server(self) -> str:
        return ""

    @property
    def is_open(self) -> bool:
        return self._was_opened.is_set() and self._opened is not None

    @property
    def starts_signed_in(self) -> bool:
        return self._options.demo or bool(self._token)

    @property
    def starts_empty(self) -> bool:
        return self._opened is None and self._is_absent

    def tell_waits(self, tell: Callable[[str], None]) -> None:
        """A store of this machine waits for nothing that is worth a sentence."""

    def now(self) -> datetime:
        from store.clock import SystemClock

        clock = self._opened.context.clock if self._opened else SystemClock()
        return clock.now()

    async def open(self) -> bool:
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open_in_thread())
            self._opening.add_done_callback(_note_failure)
        # Whoever waits may be cancelled; the thread goes on all the same.
        return await asyncio.shield(self._opening)

    async def _open_in_thread(self) -> bool:
        is_first_run = await asyncio.to_thread(self._open)
        self._was_opened.set()
        return is_first_run

    async def wait_until_open(self) -> None:
        if self._opening is not None and self._opening.done() and not self._was_opened.is_set():
            await self.open()
        await self._was_opened.wait()

    async def place(self) -> str:
        return await asyncio.to_thread(place, self._options, os.environ)

    async def close(self) -> None:
        await self._logins.drop()
        if self._playground is not None:
            playground, self._playground = self._playground, None
            await playground.aclose()
        if self._opened is not None:
            store, self._opened = self._opened, None
            await asyncio.to_thread(store.close)

    def _open(self) -> bool:
        """Open the store, and sign in to a demo; returns whether nobody has an account yet. Blocks."""
        if self._opened is not None:
            return self._opened.accounts.is_empty()
        if self._options.demo:
            from tui.local_account.demo import open_demo

            self._opened, self._token = open_demo()
            return False
        from tui.store_location import open_account_store

        self._opened = open_account_store(self._options, create=True)
        return self._opened.accounts.is_empty()


def _note_failure(opening: asyncio.Task[bool]) -> None:
    """A failure that nobody waits for is no error of the event loop: the next `open` tries again."""
    if not opening.cancelled():
        opening.exception()
