"""Two-factor authentication."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

BACKUP_CODES_PER_SET: Final = 10
FEW_BACKUP_CODES: Final = 3
"""With this many unused codes or fewer, the owner is told to generate new ones."""


@dataclass(frozen=True, slots=True)
class TwoFactorStatus:
    """The state of the second factor, and the number of unused and of all backup codes."""

    enabled_at: datetime | None
    """None if it is off."""
    codes_left: int
    codes_total: int = BACKUP_CODES_PER_SET

    @property
    def is_enabled(self) -> bool:
        return self.enabled_at is not None

    @property
    def codes_are_low(self) -> bool:
        return self.is_enabled and self.codes_left <= FEW_BACKUP_CODES


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The secret and the codes of an enrolment. They cannot be read again."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)
    expires_at: datetime = field()
