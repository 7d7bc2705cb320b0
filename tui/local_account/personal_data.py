"""Personal data: its export, and the deletion of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from pathlib import Path

    from store.new_files import NewFiles
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
        return await self._call(_export, self._store, self._new_files, path)


def _export(token: str, store: Store, new_files: NewFiles, path: Path) -> Path:
    return new_files.write(path, store.exports.document(token))
