"""The export of a long list into a file, in a worker thread that ends with its caller."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeAlias

from tui.local_account.topic import LocalTopic
from tui.row_export import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from store.drawer_parts import Content
    from store.row_export import Told
    from store.values.row_export import Exported, ExportProgress

    Pieces: TypeAlias = Callable[[str, Told], Iterator[str]]
    """The pieces of the file, for a session and for whom is told of the progress."""


class ExportingTopic(LocalTopic):
    """The base of the topics that export a list."""

    async def _export(self, path: Path, pieces: Pieces, told: Callable[[ExportProgress], None]) -> Exported:
        """Save `pieces` to a new file, or to the drawer. A cancelled call leaves none.

        `told` is called on the event loop.
        """
        loop, stopped = asyncio.get_running_loop(), threading.Event()

        def tell(progress: ExportProgress) -> None:
            if stopped.is_set():
                raise _StoppedError
            loop.call_soon_threadsafe(told, progress)

        try:
            return await self._call(_write, self._save_now, path, pieces, tell)
        except asyncio.CancelledError:
            stopped.set()
            raise


class _StoppedError(Exception):
    """Ends an export in its thread, after nobody waits for it."""


def _write(token: str, save: Callable[[str, Path, Content], Path], path: Path, pieces: Pieces, told: Told) -> Exported:
    return write_rows(lambda content: save(token, path, content), lambda count: pieces(token, count), told)
