"""The four sections of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.values.sections import Saved, SectionT


class LocalSections(LocalTopic):
    """`SectionService` on the store."""

    async def load(self, kind: type[SectionT]) -> Saved[SectionT]:
        return await self._call(self._store.settings.load_dated, kind)

    async def save(self, section: SectionT, version: int) -> Saved[SectionT]:
        return await self._call(self._store.settings.save, section, version)
