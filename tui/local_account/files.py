"""Files on this machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from store.new_files import NewFiles


class LocalFiles:
    """`tui.account.FileService` under the rules of `store.new_files`."""

    def __init__(self, files: NewFiles) -> None:
        self._files = files

    @property
    def are_allowed(self) -> bool:
        return self._files.allowed

    async def suggest(self, name: str) -> str:
        return await asyncio.to_thread(self._files.suggest, name)

    async def save(self, path: Path, text: str | bytes) -> Path:
        return await asyncio.to_thread(self._files.write, path, text)
