"""The owners of files at the model server. All accounts share the gateway's key there, so this table alone tells whose
a file is."""

from typing import Any, Final

from sqlalchemy import Connection, and_, delete, func, or_, select

from store.context import Context
from store.errors import LimitReached, NoSuchItem
from store.models import RelayFileRow
from store.row_locks import lock_for_update
from store.text import sanitize
from store.upsert import upserting_insert
from store.values.relay_files import RelayFile, RelayFilePage

MAX_FILES: Final = 1_000
"""Uploads per account that are not deleted."""
MAX_PAGE_SIZE: Final = 1_000
_MAX_NAME_LENGTH: Final = 255
_MAX_PURPOSE_LENGTH: Final = 40
_MAX_BYTES: Final = 2**50


class RelayFiles:
    """Registers files, and tells whose a file is."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def check_room(self, account_id: int) -> None:
        """Raise `LimitReached` if the account has `MAX_FILES` uploads."""
        with self._context.database.read() as tx:
            self._check_room(tx, account_id)

    def register(
        self,
        tx: Connection,
        account_id: int,
        file_id: str,
        *,
        filename: str,
        purpose: str,
        size_bytes: int = 0,
        task_id: str | None = None,
    ) -> RelayFile:
        """Note that a file belongs to an account; one that it has already stays as it is.

        `task_id` is the batch that wrote the file. Raises `NoSuchItem` if it belongs to another account, and
        `LimitReached` for an upload beyond `MAX_FILES`.
        """
        lock_for_update(tx, account_id)
        if task_id is None:
            self._check_room(tx, account_id)
        row = {
            "id": file_id,
            "account_id": account_id,
            "filename": sanitize(filename, _MAX_NAME_LENGTH),
            "purpose": sanitize(purpose, _MAX_PURPOSE_LENGTH),
            "size_bytes": min(max(size_bytes, 0), _MAX_BYTES),
            "created_at": self._context.now(),
            "task_id": task_id,
        }
        insert = upserting_insert(tx.dialect.name)(RelayFileRow).values(row)
        tx.execute(insert.on_conflict_do_nothing(index_elements=["id"]))
        return self.read(tx, account_id, file_id)

    def read(self, tx: Connection, account_id: int, file_id: str) -> RelayFile:
        """A file of an account. Raises `NoSuchItem`, also for a file of another account."""
        row = tx.execute(
            select(RelayFileRow).where(RelayFileRow.c.id == file_id, RelayFileRow.c.account_id == account_id)
        ).one_or_none()
        if row is None:
            raise NoSuchItem("There is no file of that name.")
        return _file(row)

    def is_known(self, file_id: str) -> bool:
        """True if any account has the file."""
        with self._context.database.read() as tx:
            return tx.execute(select(RelayFileRow.c.id).where(RelayFileRow.c.id == file_id)).scalar() is not None

    def forget(self, tx: Connection, account_id: int, file_id: str) -> None:
        """Delete the row of a file. Raises `NoSuchItem`."""
        gone = tx.execute(
            delete(RelayFileRow).where(RelayFileRow.c.id == file_id, RelayFileRow.c.account_id == account_id)
        )
        if gone.rowcount != 1:
            raise NoSuchItem("There is no file of that name.")

    def page(
        self,
        tx: Connection,
        account_id: int,
        *,
        after: str | None = None,
        purpose: str | None = None,
        ascending: bool = False,
        limit: int = MAX_PAGE_SIZE,
    ) -> RelayFilePage:
        """Files of an account after the file `after`, newest first unless `ascending`. Raises `NoSuchItem`."""
        table = RelayFileRow.c
        query = select(RelayFileRow).where(table.account_id == account_id)
        if purpose is not None:
            query = query.where(table.purpose == purpose)
        if after is not None:
            last = self.read(tx, account_id, after)
            is_same_time = table.created_at == last.created_at
            beyond = (
                or_(table.created_at > last.created_at, and_(is_same_time, table.id > last.id))
                if ascending
                else or_(table.created_at < last.created_at, and_(is_same_time, table.id < last.id))
            )
            query = query.where(beyond)
        order = (table.created_at, table.id) if ascending else (table.created_at.desc(), table.id.desc())
        rows = tx.execute(query.order_by(*order).limit(limit + 1)).all()
        return RelayFilePage(tuple(_file(row) for row in rows[:limit]), len(rows) > limit)

    def _check_room(self, tx: Connection, account_id: int) -> None:
        uploads = select(func.count()).where(RelayFileRow.c.account_id == account_id, RelayFileRow.c.task_id.is_(None))
        if tx.execute(uploads).scalar_one() >= MAX_FILES:
            raise LimitReached(f"An account has at most {MAX_FILES:,} files. Delete one first.")


def _file(row: Any) -> RelayFile:
    return RelayFile(row.id, row.filename, row.purpose, row.size_bytes, row.created_at, row.task_id)
