"""Row locks on PostgreSQL, taken in one order: the account first, then the rows that refer to it.

Two transactions that lock the same rows in different orders deadlock. A transaction that changes rows of an account
therefore locks the account's row first. SQLite has one writer at a time and needs no row locks.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from store.errors import NoSuchAccount
from store.models import Account
from store.sqlite_engine import APPLICATION_ID
from store.text import fold

_ADMINISTRATORS: Final = 1
_NONE: Final[Mapping[str, Any]] = {}
_BY_ID: Final = select(Account.c.id).where(Account.c.id == bindparam("account"))
# Every relayed call takes these locks. Building a statement costs more than running it.
_LOCK_BY_ID: Final = {
    for_deletion_only: _BY_ID.with_for_update(read=for_deletion_only, key_share=True)
    for for_deletion_only in (True, False)
}
_LOCK_TO_DELETE: Final = _BY_ID.with_for_update()


def lock_for_update(tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any] = _NONE) -> None:
    """Lock the row of `account` until `tx` ends; other transactions that want this lock wait.

    `account` is an id, or a query for the id with `parameters`. Rows that refer to the account can still be inserted
    (FOR NO KEY UPDATE). Read the rows that a decision depends on after this call: a statement that waits for a lock
    reads the other rows before it waits.
    """
    _lock(tx, account, parameters, for_deletion_only=False)


def lock_by_name(tx: Connection, name: str) -> "Row[int, str, str, str]":
    """The id, name, role and e-mail address of the account `name`, locked by `lock_for_update`.

    Raises `NoSuchAccount`.
    """
    lock_for_update(tx, select(Account.c.id).where(Account.c.name_key == fold(name)))
    row = tx.execute(
        select(Account.c.id, Account.c.name, Account.c.role, Account.c.email).where(Account.c.name_key == fold(name))
    ).one_or_none()
    if row is None:
        raise NoSuchAccount
    return row


def lock_against_deletion(tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any] = _NONE) -> None:
    """Prevent the deletion of `account`, an id or a query for ids, until `tx` ends (FOR KEY SHARE)."""
    _lock(tx, account, parameters, for_deletion_only=True)


def lock_to_delete(tx: Connection, account_id: int) -> None:
    """Wait for every transaction that prevents the deletion of the account, and keep new ones out (FOR UPDATE).

    Called in a transaction that holds `lock_for_update`, before it locks any other row: a transaction that holds
    `lock_against_deletion` may want that row, and would wait for the deletion, which waits for it.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(_LOCK_TO_DELETE, {"account": account_id}).all()


def lock_administrators(tx: Connection) -> None:
    """Make every other change of administrators wait until `tx` ends. Called after the lock on the account's row."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(APPLICATION_ID, _ADMINISTRATORS)))


def _lock(
    tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any], *, for_deletion_only: bool
) -> None:
    if tx.dialect.name != "postgresql":
        return
    if isinstance(account, int):
        tx.execute(_LOCK_BY_ID[for_deletion_only], {"account": account}).all()
        return
    rows = select(Account.c.id).where(Account.c.id.in_(account)).order_by(Account.c.id)
    tx.execute(rows.with_for_update(read=for_deletion_only, key_share=True), parameters).all()
