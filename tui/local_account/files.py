"""Files on this machine, or in the drawer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from store.new_files import NewFiles

_PREFIX: Final = "gatekey-"


class LocalFiles:
    """`tui.account.FileService` under the rules of `store.new_files`, or of `store.drawer`."""

    def __init__(self, files: NewFiles, put: Callable[[Path, str | bytes], Awaitable[Path]] | None) -> None:
        """`put` puts a text into the drawer; None if files are written."""
        self._files = files
        self._put = put

    @property
    def are_allowed(self) -> bool:
        return self._files.allowed or self.go_to_drawer

    @property
    def go_to_drawer(self) -> bool:
        return self._put is not None

    @property
    def have_paths(self) -> bool:
        return self._files.allowed and not self.go_to_drawer

    async def suggest(self, name: str) -> str:
        if self.go_to_drawer:
            return name.removeprefix(_PREFIX)
        return await asyncio.to_thread(self._files.suggest, name)

    async def save(self, path: Path, text: str | bytes) -> Path:
        if self._put is not None:
            return await self._put(path, text)
        return await asyncio.to_thread(self._files.write, path, text)
