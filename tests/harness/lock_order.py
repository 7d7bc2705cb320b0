"""Every transaction of the tests locks the account's row before it changes rows that refer to it (`store.row_locks`).

On PostgreSQL a change of such a row holds a weak lock on the account (FOR KEY SHARE, by the foreign key). A
transaction that asks for the account's own lock afterwards deadlocks with the account's deletion, once in thousands.
SQLite takes no row locks; the order is watched there too, because most tests run on it.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, event

from store import row_locks
from store.models import Account
from tests.harness.statement_events import listen_before

_LOCKS_ACCOUNT: Final = re.compile(
    r"FROM accounts\b.* FOR (?:NO KEY )?UPDATE|\bUPDATE accounts\b|\bDELETE FROM accounts\b.* WHERE", re.DOTALL
)
_CHANGES: Final = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)(.*)", re.DOTALL)
_KEY: Final = "first change of a row that refers to an account"
_LOCKED: Final = "the account is locked"


def watch_lock_order() -> Iterator[None]:
    """Raise AssertionError in a transaction that locks an account after a change of a row that refers to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_locks, "_lock", _watched(row_locks._lock))
        event.listen(Engine, "begin", _begin)
        end = listen_before(Engine, _before_statement)
        yield
        end()
        event.remove(Engine, "begin", _begin)


def _begin(connection: Connection) -> None:
    connection.info[_KEY] = None


def _before_statement(connection: Connection, statement: str) -> None:
    _note(connection, statement, *_kind(statement))


def _note(connection: Connection, act: str, locks_account: bool, refers_to_account: bool) -> None:
    first = connection.info.get(_KEY)
    if first == _LOCKED:
        return
    if locks_account:
        assert first is None, f"{act!r} locks the account after {first!r}"
        connection.info[_KEY] = _LOCKED
    elif refers_to_account and first is None:
        connection.info[_KEY] = act


@cache
def _kind(statement: str) -> tuple[bool, bool]:
    """True if a statement locks an account's row, and if it changes rows that refer to an account.

    The deletion of all rows of a table belongs to a restore, which has the database for itself.
    """
    change = _CHANGES.search(statement)
    refers = change is not None and change[1] in _tables() and ("DELETE" not in change[0][:6] or "WHERE" in change[2])
    return bool(_LOCKS_ACCOUNT.search(statement)), refers or " FOR KEY SHARE" in statement


@cache
def _tables() -> frozenset[str]:
    """The tables with a foreign key to accounts."""
    tables = Account.metadata.tables.values()
    return frozenset(table.name for table in tables for key in table.foreign_keys if key.column.table is Account)


def _watched(lock: Any) -> Any:
    def watched(tx: Connection, account: object, parameters: object, strength: row_locks._Strength) -> None:
        if tx.dialect.name != "postgresql":
            is_weak = strength is row_locks._Strength.KEY_SHARE
            _note(tx, "row_locks._lock", not is_weak, is_weak)
        lock(tx, account, parameters, strength)

    return watched
