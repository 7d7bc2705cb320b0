"""Files on the machine of the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class FileService(Protocol):
    """Saves to new files at paths that the person types."""

    @property
    def are_allowed(self) -> bool:
        """True if a screen may offer to save to a file at all. Raises nothing."""
        ...

    async def suggest(self, name: str) -> str:
        """A name like `name` that is free in the working directory. Raises nothing."""
        ...

    async def save(self, path: Path, text: str | bytes) -> Path:
        """Write a new file of mode 0600; returns its absolute path.

        Raises `FilesOff`, and `InvalidInput` with field `path` for a path that is refused or cannot be written.
        """
        ...
