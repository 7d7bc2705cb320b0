"""The export of a long list of a server: its pages are read on the event loop, and written in a thread."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Protocol, TypeVar

from tui.remote_account.topic import RemoteTopic
from tui.row_export import write_rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path
    from typing import Any

    from store.row_export import Told
    from store.values.row_export import Exported, ExportProgress

T = TypeVar("T")


class Reads(Protocol):
    """Runs a read of the server to its end, and blocks meanwhile; returns what it gave, and raises what it raised."""

    def __call__(self, read: Callable[[], Awaitable[T]]) -> T: ...


class ExportingTopic(RemoteTopic):
    """The base of the topics that export a list."""

    async def _export(
        self, path: Path, pieces: Callable[[Reads, Told], Iterator[str]], told: Callable[[ExportProgress], None]
    ) -> Exported:
        """Save `pieces` to a new file. A cancelled call leaves none, and waits for no answer of the server any more.

        `told` is called on the event loop.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        reads = _ReadsOnLoop(loop)

        def tell(progress: ExportProgress) -> None:
            reads.check()
            loop.call_soon_threadsafe(told, progress)

        try:
            return await asyncio.to_thread(
                write_rows,
                lambda content: self._new_files.write(path, content),
                lambda count: pieces(reads, count),
                tell,
            )
        except asyncio.CancelledError:
            reads.stop()
            raise


class _StoppedError(Exception):
    """Ends an export in its thread, after nobody waits for it."""


class _ReadsOnLoop:
    """Runs reads on the event loop for a thread, one at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._guard = threading.Lock()
        self._under_way: Future[Any] | None = None
        self._is_stopped = False

    def __call__(self, read: Callable[[], Awaitable[T]]) -> T:
        async def run() -> T:
            return await read()

        with self._guard:
            self.check()
            self._under_way = reading = asyncio.run_coroutine_threadsafe(run(), self._loop)
        return reading.result()

    def check(self) -> None:
        """Raise once the export was stopped."""
        if self._is_stopped:
            raise _StoppedError

    def stop(self) -> None:
        """End the read that is under way, and begin no other."""
        with self._guard:
            self._is_stopped = True
            if self._under_way is not None:
                self._under_way.cancel()
