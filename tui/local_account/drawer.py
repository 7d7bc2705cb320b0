"""The drawer in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.store import Store
    from store.values.drawer import DrawerOverview, FetchPlace


class LocalDrawer(LocalTopic):
    """`DrawerService` on the store."""

    async def drawer(self) -> DrawerOverview:
        return await self._call(drawer_overview, self._store, self._fetch_place)

    async def remove_from_drawer(self, item_id: str) -> None:
        await self._call(self._store.drawer.remove, item_id)


def drawer_overview(token: str, store: Store, place: FetchPlace | None) -> DrawerOverview:
    """The drawer, and the address that the administrator has set for it. Raises `FilesOff` without a place."""
    from dataclasses import replace

    from store.errors import FilesOff
    from store.values.drawer import DrawerOverview

    if place is None:
        raise FilesOff
    host, _, port = store.site.text("ssh.address").rpartition(":")
    if host:
        place = replace(place, host=host.strip("[]"), port=int(port))
    return DrawerOverview(store.drawer.list(token), store.sessions.whoami(token).name, place)
