"""Two-factor authentication."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

CODE_DIGITS: Final = 6
CODE_SECONDS: Final = 30
"""Seconds after which an authenticator shows another code."""
BACKUP_CODES_PER_SET: Final = 10
FEW_BACKUP_CODES: Final = 3
"""With this many unused codes or fewer, the owner is told to generate new ones."""
_ELLIPSIS: Final = ".."
"""The end of a shortened name. The sign for an ellipsis takes nine bytes of a URI."""


class TwoFactorStatus(NamedTuple):
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

    @property
    def secret_groups(self) -> tuple[str, ...]:
        """The secret in groups of four characters, for a person who types it."""
        return tuple(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))

    @property
    def shortest_uri(self) -> str:
        """The URI with at most one character of the account's name."""
        head, label, rest = _parts(self.uri)
        return head + _shortened(label)[-1] + rest

    def uri_within(self, limit: int) -> str | None:
        """The URI in at most `limit` bytes; None if that is not possible.

        The name of the account, which only labels the entry in the authenticator app, is shortened if it has to be. The
        secret never is.
        """
        head, label, rest = _parts(self.uri)
        room = limit - len(head) - len(rest)
        return next((head + name + rest for name in _shortened(label) if len(name) <= room), None)


def _parts(uri: str) -> tuple[str, str, str]:
    """An `otpauth://` URI as the text before the name of the account, that name, and the text after it."""
    path, mark, query = uri.partition("?")
    head, colon, label = path.rpartition(":")
    return head + colon, label, mark + query


def _shortened(label: str) -> list[str]:
    """A percent-encoded name, and the same with fewer and fewer characters."""
    name = unquote(label)
    return [label, *(quote(name[:length]) + _ELLIPSIS for length in range(len(name) - 1, 0, -1))]
