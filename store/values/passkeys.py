"""Passkeys and their ceremonies."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class PasskeyInfo(NamedTuple):
    """A registered passkey."""

    id: int
    label: str
    created_at: datetime
    last_used_at: datetime | None
    backed_up: bool
    """True if the provider of the passkey keeps a copy (WebAuthn level 3, 6.1.3)."""
    flagged_at: datetime | None
    """The time when its counter went backwards. A flagged passkey is refused."""


class CeremonyState(StrEnum):
    """The state of a ceremony. `WAITING` and `CLAIMED` are not final."""

    WAITING = "waiting"
    """The browser has not answered yet."""
    CLAIMED = "claimed"
    """An answer is being verified."""
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    COLLECTED = "collected"
    """Its sign-in has opened a session."""


@dataclass(frozen=True, slots=True)
class CeremonyStarted:
    """`code` is typed into the browser page; the console keeps `ticket` and asks for the outcome with it."""

    code: str
    ticket: str = field(repr=False)
    expires_at: datetime
