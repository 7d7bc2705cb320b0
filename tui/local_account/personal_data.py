"""Personal data: its export, and the deletion of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from store.drawer_parts import Content
    from store.store import Store


class LocalPersonalData(LocalTopic):
    """`PersonalDataService` on the store."""

    async def check_deletable(self) -> bool:
        return await self._call(self._store.deletion.refuse_if_protected)

    async def delete_account(self, typed_name: str) -> bool:
        deleted = await self._call(self._store.deletion.delete, typed_name)
        self._token = ""
        return deleted.is_off_disk

    async def export_to(self, path: Path) -> Path:
        return await self._call(_export, self._store, self._save_now, path)


def _export(token: str, store: Store, save: Callable[[str, Path, Content], Path], path: Path) -> Path:
    return save(token, path, store.exports.document(token))
