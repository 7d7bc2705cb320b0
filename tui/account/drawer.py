"""The drawer: what was saved where the person may write no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.drawer import DrawerOverview


class DrawerService(Protocol):
    """Lists and removes what waits to be fetched. `FileService.go_to_drawer` tells whether anything goes there."""

    async def drawer(self) -> DrawerOverview:
        """The items, and the way to them.

        Raises `FilesOff` where nothing goes to the drawer, and the session errors.
        """
        ...

    async def remove_from_drawer(self, item_id: str) -> None:
        """Remove an item. Raises `NoSuchItem`, and the session errors."""
        ...
