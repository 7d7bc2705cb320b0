"""Refused calls in the usage log: the first of each minute one by one, the rest as one entry with a count.

A refused call costs its client nothing. Logged one by one, those of a single account could fill a disk in a day.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from gateway.store_threads import StoreThreads
from store.clock import Clock
from store.errors import DatabaseRefused, StoreUnavailable
from store.usage_log import UsageLog
from store.values.usage import Kind, UsageEntry

MAX_LOGGED_PER_MINUTE: Final = 20
"""Refusals per account that are logged one by one."""
FLUSH_INTERVAL_S: Final = 5.0
"""Seconds between two updates of the entries with a count."""
SUMMARY_STATUS: Final = "refused"
_MINUTE_S: Final = 60
_MAX_LISTED_STATUSES: Final = 8


@dataclass(slots=True)
class _MinuteWindow:
    """One account's minute."""

    number: int
    logged: int = 0
    entry_id: int | None = None
    counted: Counter[str] = field(default_factory=Counter)
    unwritten: int = 0


class RefusalLog:
    """The refusals of one process, on one event loop."""

    def __init__(self, usage: UsageLog, clock: Clock, threads: StoreThreads) -> None:
        self._usage = usage
        self._clock = clock
        self._threads = threads
        self._windows: dict[int, _MinuteWindow] = {}
        self._past: list[tuple[int, _MinuteWindow]] = []
        self._writing: asyncio.Task[None] | None = None
        self._is_ending = asyncio.Event()

    async def log(self, account_id: int, entry: UsageEntry, also_write: Callable[[Connection], None]) -> None:
        """Write `entry` and call `also_write`, or count it. The entry is lost if the database cannot be reached."""
        window = self._window(account_id)
        if window.logged < MAX_LOGGED_PER_MINUTE:
            window.logged += 1

            def write(tx: Connection) -> None:
                also_write(tx)
                self._usage.append(tx, account_id, entry)

            await self._threads.write(write)
            return
        window.counted[entry.status] += 1
        window.unwritten += 1
        if self._writing is None:
            self._writing = asyncio.create_task(self._keep_writing())

    async def drain(self) -> None:
        """Write the counts at once."""
        self._is_ending.set()
        if self._writing is not None:
            await self._writing
        await self._write()

    def _window(self, account_id: int) -> _MinuteWindow:
        number = int(self._clock.now().timestamp()) // _MINUTE_S
        window = self._windows.get(account_id)
        if window is None or window.number != number:
            if window is not None and window.unwritten:
                self._past.append((account_id, window))
            window = self._windows[account_id] = _MinuteWindow(number)
        return window

    async def _keep_writing(self) -> None:
        # One at a time: two concurrent writers would each add an entry.
        try:
            while not self._is_ending.is_set() and self._due():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FLUSH_INTERVAL_S):
                        await self._is_ending.wait()
                await self._write()
        finally:
            self._writing = None

    def _due(self) -> list[tuple[int, _MinuteWindow]]:
        return [*self._past, *((account, each) for account, each in self._windows.items() if each.unwritten)]

    async def _write(self) -> None:
        due, self._past = self._due(), []
        for account_id, window in due:
            count, window.unwritten = window.unwritten, 0
            try:
                write = self._line(account_id, window, count)
                window.entry_id = await self._threads.write(write, durable=False)
            except DatabaseRefused:
                self._windows.pop(account_id, None)  # the account was deleted meanwhile
            except StoreUnavailable:
                window.unwritten += count
                if self._windows.get(account_id) is not window:
                    self._past.append((account_id, window))
        now = int(self._clock.now().timestamp()) // _MINUTE_S
        expired = [each for each, window in self._windows.items() if window.number < now and not window.unwritten]
        for account_id in expired:
            del self._windows[account_id]

    def _line(self, account_id: int, window: _MinuteWindow, count: int) -> Callable[[Connection], int]:
        entry = UsageEntry(kind=Kind.ERROR, model="", status=SUMMARY_STATUS, detail=_summary(window.counted))
        entry_id = window.entry_id
        return lambda tx: self._usage.append_refusals(tx, account_id, entry, count, entry_id=entry_id)


def _summary(counted: Counter[str]) -> str:
    total = counted.total()
    kinds = ", ".join(f"{count:,} {status}" for status, count in counted.most_common(_MAX_LISTED_STATUSES))
    calls = "call was" if total == 1 else "calls were"
    return f"{total:,} more {calls} refused in this minute, and not written out one by one: {kinds}."
