"""Members of a JSON object from a server, by the type that is expected.

A newer server may leave a member out or change its type: such a member has its default, and the others are read all
the same. Text is sanitized, except where `raw_text` is asked for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from store.errors import AnswerUnreadable
from store.text import sanitize

_MAX_MAGNITUDE: Final = 400
"""Powers of ten. A server's numbers are doubles; larger ones would cost time and memory to calculate with."""
_MAX_TIMESTAMP: Final = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object."""

    members: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def text(self, name: str, limit: int = 4096) -> str:
        """The sanitized text, or an empty one."""
        return sanitize(self.raw_text(name), limit)

    def raw_text(self, name: str) -> str:
        """The text as it came, or an empty one. It may hold control characters."""
        value = self.members.get(name)
        return value if isinstance(value, str) else ""

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.members.get(name)
        return value if isinstance(value, bool) else default

    def whole(self, name: str, default: int = 0) -> int:
        """The whole number. A fraction is cut off."""
        value = self.number(name)
        return default if value is None else int(value)

    def number(self, name: str) -> Decimal | None:
        """The exact number, or None."""
        value = self.members.get(name)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return None
        number = Decimal(value)
        return number if not number or abs(number.adjusted()) <= _MAX_MAGNITUDE else None

    def time(self, name: str) -> datetime | None:
        """The time of a Unix timestamp in seconds; None for zero, which the server writes for never, and below."""
        seconds = self.whole(name)
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _MAX_TIMESTAMP else None

    def object(self, name: str) -> "Fields":
        """The object, or an empty one."""
        return fields_of(self.members.get(name))

    def items(self, name: str) -> tuple["Fields", ...]:
        """The objects of a list; what is no object is left out."""
        return objects_of(self.members.get(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """The sanitized texts of a list; what is no text is left out."""
        return texts_of(self.members.get(name))

    def json_object(self, name: str) -> "Fields":
        """The object that a text holds as JSON; an empty one for any other text."""
        return parse_object(self.raw_text(name))


def fields_of(value: Any) -> Fields:
    """`value` if it is an object, else an empty one."""
    return Fields(value) if isinstance(value, dict) else Fields()


def objects_of(value: Any) -> tuple[Fields, ...]:
    """The objects of `value`, if it is a list."""
    return tuple(Fields(one) for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def texts_of(value: Any) -> tuple[str, ...]:
    """The sanitized texts of `value`, if it is a list."""
    return tuple(sanitize(one) for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def required(value: Any) -> Fields:
    """`value` as an object. Raises `AnswerUnreadable`."""
    if not isinstance(value, dict):
        raise AnswerUnreadable
    return Fields(value)


def parse_json(text: str | bytes) -> Any:
    """A JSON value, with fractions as `Decimal`. Raises `AnswerUnreadable`."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable from error


def parse_object(text: str) -> Fields:
    """The JSON object in `text`; an empty one for any other text."""
    try:
        return fields_of(parse_json(text))
    except AnswerUnreadable:
        return Fields()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
