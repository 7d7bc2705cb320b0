"""Files that a person saves: on the machine of the console, or in the drawer of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class FileService(Protocol):
    """Saves to new files at paths that the person types, or to the drawer under names that the program gives."""

    @property
    def are_allowed(self) -> bool:
        """True if a screen may offer to save at all. Raises nothing."""
        ...

    @property
    def go_to_drawer(self) -> bool:
        """True if what is saved goes to the drawer: no screen asks for a path. Raises nothing."""
        ...

    @property
    def have_paths(self) -> bool:
        """True if a person may name files of the machine, to write or to read them. Raises nothing."""
        ...

    async def suggest(self, name: str) -> str:
        """A name like `name`: one that is free in the working directory, or one for the drawer. Raises nothing."""
        ...

    async def save(self, path: Path, text: str | bytes) -> Path:
        """Write a new file of mode 0600; returns its absolute path. In the drawer: the name that it got.

        Raises `FilesOff`, and `InvalidInput` with field `path` for a path that is refused or cannot be written; for the
        drawer `DrawerFull`, `TooLargeForDrawer`, and the session errors.
        """
        ...
