"""The types of columns, and the metadata of all tables."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Column, DateTime, Dialect, ForeignKey, Integer, MetaData, TypedColumns, TypeDecorator

from store.errors import DatabaseDamaged

_OFFSET_CHARACTERS: Final = len("+00:00")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored and read in UTC. Raises ValueError for a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was stored")
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """SQLAlchemy's processor; for SQLite one of its own, which writes the same text in a third of the time."""
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)

        def write(value: datetime | None) -> str | None:
            if value is not None and value.tzinfo is UTC:
                return _text(value)
            naive = self.process_bind_param(value, dialect)
            return None if naive is None else naive.isoformat(" ", "microseconds")

        return write

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """SQLAlchemy's processor; it raises `DatabaseDamaged` for an invalid time, because SQLite stores any text."""
        read = super().result_processor(dialect, coltype)
        if read is None:
            return None

        def read_or_refuse(value: Any) -> Any:
            try:
                return read(value)
            except (ValueError, TypeError) as error:
                raise DatabaseDamaged from error

        return read_or_refuse


@lru_cache(64)
def _text(value: datetime) -> str:
    """The text of a time in UTC for SQLite. A relayed call writes some of them again and again, as the day's begin."""
    return value.isoformat(" ", "microseconds")[:-_OFFSET_CHARACTERS]


BigId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite generates row ids only for a column declared INTEGER."""


METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables, and the names of their constraints."""


class Columns(TypedColumns):
    """The columns of a table, for `Table(name, METADATA, columns)`.

    The annotation of a column tells mypy its type and SQLAlchemy whether it is nullable. mypy refuses a `Column` of
    another type, and a name that is not declared: `Account.c.nmae`.
    """

    # SQLAlchemy types every name as a column. Without its `__getattr__`, mypy knows the declared ones alone.
    __getattr__: None  # type: ignore[assignment,misc]


def account_key(*, primary: bool = False) -> Column[int]:
    """The column `account_id`. The row is deleted with its account."""
    owner = ForeignKey("accounts.id", ondelete="CASCADE")
    return Column(BigId, owner, primary_key=primary, index=not primary, nullable=False)


def generated_id() -> Column[int]:
    """The column `id`, assigned by the database."""
    return Column(BigId, primary_key=True, autoincrement=True)


IDS_NOT_REUSED: Final[Mapping[str, Any]] = {"sqlite_autoincrement": True}
"""Table arguments for ids that are shown or bound into encrypted values: SQLite would reuse ids of deleted rows."""
