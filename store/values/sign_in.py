"""The result of a sign-in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An opened session. `token` is not stored."""

    token: str = field(repr=False)
    name: str
    required_length: int = 0
    """The site's minimum password length without a second factor, if this password is shorter; else 0."""


class PastSignIn(NamedTuple):
    """The sign-in before this one."""

    at: datetime
    source: str
    failed_since: int
    """Failed sign-ins between the two."""


class SignInNews(NamedTuple):
    """News for a person after a sign-in."""

    past: PastSignIn | None
    """None at the very first sign-in."""
    backup_codes_left: int | None
    """The unused backup codes if this sign-in used one; else None."""


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """A right first factor. `ticket` and a code open a session until `expires_at`."""

    ticket: str = field(repr=False)
    name: str
    expires_at: datetime
