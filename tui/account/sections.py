"""The four sections of settings, each saved by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.sections import Saved, SectionT


class SectionService(Protocol):
    """Loads and saves a section."""

    async def load(self, kind: type[SectionT]) -> Saved[SectionT]:
        """The section of that class, and its version. Raises the session errors."""
        ...

    async def save(self, section: SectionT, version: int) -> Saved[SectionT]:
        """Store `section` over `version`; returns it as stored, with its new version.

        Raises `InvalidInput` (a child of it) with the first field at fault, `SettingsConflict` with what is stored if
        `version` is not the current one, `FreshProofRequired` if the change redirects notifications or gives up a
        safeguard, and the session errors.
        """
        ...
