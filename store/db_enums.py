"""Enumerations in text columns, such as a role, a state or a kind."""

from enum import StrEnum
from typing import TypeVar

from store.errors import DatabaseDamaged

E = TypeVar("E", bound=StrEnum)


def db_enum(kind: type[E], word: str) -> E:
    """The member of `kind` with the stored value `word`. Raises `DatabaseDamaged` for any other text."""
    try:
        return kind(word)
    except ValueError as error:
        raise DatabaseDamaged from error
