"""A section of settings as it is stored."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from store.errors import StaleEdit
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings

SectionT = TypeVar("SectionT", NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings)


@dataclass(frozen=True, slots=True)
class Saved(Generic[SectionT]):
    """A section as it is stored, and the version to save over."""

    section: SectionT
    version: int
    changed_at: datetime | None = field(default=None, compare=False)
    """The time of the last save; None if it is not known."""


class SettingsConflict(StaleEdit):
    """Someone else saved this section first. `theirs` is what is stored now; nothing was overwritten."""

    def __init__(self, theirs: Saved[Any]) -> None:
        super().__init__()
        self.theirs = theirs


def rebased(theirs: SectionT, mine: SectionT, keep_mine: frozenset[str]) -> SectionT:
    """`theirs` with the fields named in `keep_mine` taken from `mine`: how a conflict is settled, field by field."""
    return replace(theirs, **{name: getattr(mine, name) for name in keep_mine})
