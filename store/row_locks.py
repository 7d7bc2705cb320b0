"""Row locks on PostgreSQL, taken in one order: the account first, then the rows that refer to it.

Two transactions that lock the same rows in different orders deadlock. A transaction that changes rows of an account
therefore locks the account's row first. SQLite has one writer at a time and needs no row locks.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from store.errors import NoSuchAccount
from store.models import Account
from store.sqlite_engine import APPLICATION_ID
from store.text import fold

Lock: TypeAlias = Callable[[Connection, Select[Any], Mapping[str, Any]], None]
"""A function of this module that locks the account that a query finds."""

_ADMINISTRATORS: Final = 1
_NONE: Final[Mapping[str, Any]] = {}
_BY_ID: Final = select(Account.c.id).where(Account.c.id == bindparam("account"))


class _Strength(Enum):
    """The row locks of PostgreSQL that are used, the weakest first. The value: `read` and `key_share` of SQLAlchemy."""

    KEY_SHARE = (True, True)
    NO_KEY_UPDATE = (False, True)
    UPDATE = (False, False)

    def on(self, rows: Select[Any]) -> Select[Any]:
        """The query `rows`, which locks what it finds."""
        read, key_share = self.value
        return rows.with_for_update(read=read, key_share=key_share)


# Every relayed call takes these locks. Building a statement costs more than running it.
_LOCK_BY_ID: Final = {strength: strength.on(_BY_ID) for strength in _Strength}


def lock_for_update(tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any] = _NONE) -> None:
    """Lock the row of `account` until `tx` ends; other transactions that want this lock wait.

    `account` is an id, or a query for the id with `parameters`. Rows that refer to the account can still be inserted
    (FOR NO KEY UPDATE). Read the rows that a decision depends on after this call: a statement that waits for a lock
    reads the other rows before it waits.
    """
    _lock(tx, account, parameters, _Strength.NO_KEY_UPDATE)


def lock_to_delete(tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any] = _NONE) -> None:
    """Lock the row of `account` for its deletion until `tx` ends; wait for every `lock_against_deletion` (FOR UPDATE).

    It is the first lock of `tx`. With `lock_for_update` instead, a transaction that prevents the deletion could wait
    for another row of this one, which at last waits for it.
    """
    _lock(tx, account, parameters, _Strength.UPDATE)


def lock_by_name(tx: Connection, name: str, *, to_delete: bool = False) -> "Row[int, str, str, str]":
    """The id, name, role and e-mail address of the account `name`, locked by `lock_for_update` or `lock_to_delete`.

    Raises `NoSuchAccount`.
    """
    lock = lock_to_delete if to_delete else lock_for_update
    lock(tx, select(Account.c.id).where(Account.c.name_key == fold(name)))
    row = tx.execute(
        select(Account.c.id, Account.c.name, Account.c.role, Account.c.email).where(Account.c.name_key == fold(name))
    ).one_or_none()
    if row is None:
        raise NoSuchAccount
    return row


def lock_against_deletion(tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any] = _NONE) -> None:
    """Prevent the deletion of `account`, an id or a query for ids, until `tx` ends (FOR KEY SHARE)."""
    _lock(tx, account, parameters, _Strength.KEY_SHARE)


def lock_administrators(tx: Connection) -> None:
    """Make every other change of administrators wait until `tx` ends. Called after the lock on the account's row."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(APPLICATION_ID, _ADMINISTRATORS)))


def _lock(tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any], strength: _Strength) -> None:
    if tx.dialect.name != "postgresql":
        return
    if isinstance(account, int):
        tx.execute(_LOCK_BY_ID[strength], {"account": account}).all()
        return
    rows = select(Account.c.id).where(Account.c.id.in_(account)).order_by(Account.c.id)
    tx.execute(strength.on(rows), parameters).all()
