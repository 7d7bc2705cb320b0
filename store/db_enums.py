"""Words the program stores and reads back as its own: a role, a state, a kind."""

from enum import StrEnum
from typing import TypeVar

from store.errors import DatabaseDamaged

E = TypeVar("E", bound=StrEnum)


def db_enum(kind: type[E], word: str) -> E:
    """The member of `kind` that a row holds. Raises `DatabaseDamaged` for a word that nobody could have chosen."""
    try:
        return kind(word)
    except ValueError as error:
        raise DatabaseDamaged from error
