"""Column types and the declarative base of all tables."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from store.errors import DatabaseDamaged


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored and read in UTC. Raises ValueError for a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

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


BigId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite generates row ids only for a column declared INTEGER."""


class Base(DeclarativeBase):
    """The declarative base: naming conventions and column types."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read once by SQLAlchemy when the class is made
        datetime: UtcDateTime(),
        str: Text(),
        int: BigInteger().with_variant(Integer(), "sqlite"),
        bytes: LargeBinary(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
    }


def account_key(*, primary: bool = False) -> Mapped[int]:
    """The column `account_id`. The row is deleted with its account."""
    return mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=primary, index=not primary)


def generated_id() -> Mapped[int]:
    """The column `id`, assigned by the database."""
    return mapped_column(BigId, primary_key=True, autoincrement=True)


IDS_NOT_REUSED: Final = {"sqlite_autoincrement": True}
"""Table arguments for ids that are shown or bound into encrypted values: SQLite would reuse ids of deleted rows."""
