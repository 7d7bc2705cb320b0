"""Row locks on PostgreSQL, always in one order: the account first, then what hangs on it.

Two transactions that lock the same rows in different orders stop each other until the server kills one. So
whoever changes rows of an account takes the account's row before any other. SQLite has one writer at a time and
needs none of this.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from store.database import APPLICATION_ID
from store.errors import NoSuchAccount
from store.models import Account
from store.text import fold

_ADMINISTRATORS: Final = 1
_NONE: Final[Mapping[str, Any]] = {}


def lock_for_update(tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any] = _NONE) -> None:
    """Hold the row of `account`, an id or a query for it, until `tx` ends: whoever else wants to hold it waits.

    `parameters` are the query's.

    Rows that refer to the account can still be added meanwhile (FOR NO KEY UPDATE). Read what a decision rests on
    afterwards: a statement that waited for one row has read the others before it waited.
    """
    _lock(tx, account, parameters, for_deletion_only=False)


def held_by_name(tx: Connection, name: str) -> "Row[int, str, str, str]":
    """The id, name, role and e-mail address of the account called `name`, held as `lock_for_update` does.

    Raises `NoSuchAccount`.
    """
    lock_for_update(tx, select(Account.id).where(Account.name_key == fold(name)))
    row = tx.execute(
        select(Account.id, Account.name, Account.role, Account.email).where(Account.name_key == fold(name))
    ).one_or_none()
    if row is None:
        raise NoSuchAccount
    return row


def keep_account(tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any] = _NONE) -> None:
    """Keep `account`, an id or a query for one or more, from being deleted until `tx` ends (FOR KEY SHARE)."""
    _lock(tx, account, parameters, for_deletion_only=True)


def hold_administrators(tx: Connection) -> None:
    """Make every change of who is an administrator wait for `tx`. Comes after the account's own row."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(APPLICATION_ID, _ADMINISTRATORS)))


def _lock(
    tx: Connection, account: int | Select[Any], parameters: Mapping[str, Any], *, for_deletion_only: bool
) -> None:
    if tx.dialect.name != "postgresql":
        return
    which = Account.id == account if isinstance(account, int) else Account.id.in_(account)
    rows = select(Account.id).where(which).order_by(Account.id)
    tx.execute(rows.with_for_update(read=for_deletion_only, key_share=True), parameters).all()
