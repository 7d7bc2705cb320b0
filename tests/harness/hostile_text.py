"""Strings a terminal or a markup parser would obey, and how they get into every column of a database."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, Column, Table, Text, select, update

from store.models import METADATA
from store.store import Store


class Payload(NamedTuple):
    """One hostile string."""

    name: str
    text: str
    needle: bytes
    """The input a terminal would produce if it received the string unchanged."""


PAYLOADS: Final = (
    Payload("clipboard", "\x1b]52;c;UFdORUQ=\x07", b"\x1b]52;c;UFdORUQ="),
    Payload("title", "\x1b]0;PWNED\x07", b"\x1b]0;PWNED"),
    Payload("CSI", "\x1b[8887mPWNED\x1b[2J", b"\x1b[8887m"),
    Payload("C1", "\x9b8887m\x9d52;c;UFdORUQ=\x9c", "\x9b8887m".encode()),
    Payload("bell and backspace", "PW\x07\x07NED\x08\x08\x08\r", b"PW\x07"),
    Payload("bidi", "\u202eDENWP\u202c\u2066x\u2069\u200f", "\u202e".encode()),
    Payload("zero width", "PW\u200bN\u2060ED\ufeff\U000e0041\u00ad", "\u200b".encode()),
    Payload("markup", "[@click=app.quit]PWNED[/] [link=https://evil.example]x[/link] [/ [red", b"evil.example\x1b"),
)

OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The general categories a terminal could obey: controls, formats, surrogates, line and paragraph separators."""

Place = tuple[str, str]
"""A table and one of its columns."""


def is_obeyed(text: str) -> bool:
    """True if a terminal would do more with `text` than draw it. Independent of `store.text`."""
    return any(unicodedata.category(character) in OBEYED for character in text)


def string_columns() -> tuple[Place, ...]:
    """Every column of the schema that can hold text."""
    return tuple((table.name, column.name) for table, column in _columns())


def marker(place: Place) -> str:
    """A short word that stands before the payload in one column and nowhere else."""
    return f"q{string_columns().index(place):02}z"


def plant(store: Store, payloads: Mapping[Place, Payload]) -> None:
    """Write into every row of each column its marker and its payload, past every rule of the store."""
    with store.database.write() as tx:
        for table, column in _columns():
            place = (table.name, column.name)
            if place not in payloads:
                continue
            keys = list(table.primary_key.columns)
            for number, row in enumerate(tx.execute(select(*keys, column)).all()):
                text = f"{marker(place)}{payloads[place].text}{number}"
                value = _like(place, row[len(keys)], text)
                here = [key == old for key, old in zip(keys, row, strict=False)]
                tx.execute(update(table).where(*here).values({column: value}))


def _columns() -> Iterator[tuple[Table, Column[Any]]]:
    for table in METADATA.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Text | JSON):
                yield table, column


def _like(place: Place, old: Any, text: str) -> Any:
    """The value that carries `text` in that column, in the column's own shape."""
    if place == ("site_settings", "value"):
        # Each is JSON of one type; another type counts as not set, and would not be seen at all.
        return json.dumps(text) if isinstance(json.loads(old or "0"), str) else old
    if isinstance(old, dict):
        return {text: text}
    return [text] if isinstance(old, list) else text


FIXED_WORDS: frozenset[Place] = frozenset(
    {
        ("accounts", "name_key"),
        ("accounts", "role"),
        ("accounts", "password_hash"),
        ("meta", "name"),
        ("providers", "kind"),
        ("site_settings", "name"),
        ("backup_codes", "code_hash"),
        ("drawer_items", "id"),
        ("drawer_parts", "item_id"),
        ("two_factor_setups", "code_hashes"),
        ("usage_log", "kind"),
        ("ledger", "kind"),
        ("api_keys", "limit_period"),
        ("outbox", "kind"),
        ("deliveries", "channel"),
        ("deliveries", "state"),
        ("passkey_ceremonies", "purpose"),
        ("passkey_ceremonies", "state"),
    }
)
"""Columns whose words the program compares with its own: another word there is damage, and has a test of its own.
The ids of the drawer are among them: one refers to the other."""


KEPT_BY_FOREIGN_KEY: frozenset[Place] = frozenset({("drawer_items", "id"), ("drawer_parts", "item_id")})
"""Those of `FIXED_WORDS` that the database itself keeps from damage."""


def free() -> list[Place]:
    """The columns that may hold any word."""
    return [place for place in string_columns() if place not in FIXED_WORDS]
