"""Saving to a file beside this console: the seam between a screen that asks for a path and the rules that judge it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from store.new_files import NewFiles


class FileService(Protocol):
    """Every method that writes raises `FilesOff`, and `InvalidInput` with field `path`."""

    @property
    def are_allowed(self) -> bool:
        """Whether a screen may offer to save to a file at all."""
        ...

    async def suggest(self, name: str) -> str:
        """A name like `name` that is free in the working directory."""
        ...

    async def save(self, path: Path, text: str) -> Path:
        """Write a new file of mode 0600; returns its absolute path."""
        ...


class LocalFiles:
    """`FileService` on this machine."""

    def __init__(self, files: NewFiles) -> None:
        self._files = files

    @property
    def are_allowed(self) -> bool:
        return self._files.allowed

    async def suggest(self, name: str) -> str:
        return await asyncio.to_thread(self._files.suggest, name)

    async def save(self, path: Path, text: str) -> Path:
        return await asyncio.to_thread(self._files.write, path, text)
