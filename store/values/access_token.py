"""The System Access Token."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class AccessTokenInfo(NamedTuple):
    """The stored properties of a token."""

    last_four: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewAccessToken:
    """A new token. It is not stored and cannot be shown again."""

    token: str = field(repr=False)
    info: AccessTokenInfo
