"""A notification, the same for every channel and for every attempt."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from store.text import sanitize, sanitize_lines

MAX_TITLE_CHARACTERS: Final = 200
MAX_TEXT_CHARACTERS: Final = 2_000
MAX_FACT_CHARACTERS: Final = 200
MAX_FACTS: Final = 12
"""With these limits the largest message stays below the 20 KB of the Standard Webhooks specification."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KIND: Final = re.compile(r"[A-Za-z0-9_]{1,32}(?:\.[A-Za-z0-9_]{1,32}){0,3}")
_FACT: Final = re.compile(r"(?!title\Z|text\Z)[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Message:
    """One notification.

    `title` and each fact are cut to 200 characters and `text` to 2,000. Control characters are removed from all of
    them.

    Raises:
        ValueError: if `id`, `kind` or a fact's name has another form, or `at` has no time zone.
    """

    id: str
    """The same for all attempts, so that a receiver can detect a repetition: 1 to 64 of `[A-Za-z0-9_-]`."""
    kind: str
    """The event type, in dotted form, such as `quota.low`."""
    title: str
    text: str
    """The complete text for a person, with every relevant figure. May have several lines."""
    at: datetime
    """Time of the event; aware."""
    facts: Mapping[str, str]
    """The same for programs, such as `remaining_usd: "0.42"`: at most 12, not named `title` or `text`."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id) or not _KIND.fullmatch(self.kind):
            raise ValueError(f"{self.id!r} of kind {self.kind!r} cannot be a message")
        if self.at.tzinfo is None:
            raise ValueError("a message needs a time with a zone")
        if len(self.facts) > MAX_FACTS or not all(_FACT.fullmatch(name) for name in self.facts):
            raise ValueError(f"{sorted(self.facts)} cannot be the facts of a message")
        facts = {name: sanitize(value, MAX_FACT_CHARACTERS) for name, value in self.facts.items()}
        object.__setattr__(self, "title", sanitize(self.title, MAX_TITLE_CHARACTERS))
        object.__setattr__(self, "text", sanitize_lines(self.text, MAX_TEXT_CHARACTERS))
        object.__setattr__(self, "facts", MappingProxyType(facts))
