"""The usage log: consumption, errors, drawings and tasks.

The client's address is stored only for consumption and errors, and only if the account's setting is on in the same
transaction.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, insert, literal_column, select, update

from store.audit import Audit
from store.audit_tags import Tag
from store.compiled_statement import CompiledStatement
from store.context import Context
from store.models import ApiKey, UsageDay, UsageEntryRow
from store.records_ip import records_ip
from store.row_locks import lock_against_deletion, lock_for_update
from store.sessions import Sessions
from store.text import sanitize
from store.usage_additions import add_to_day, add_to_total
from store.usage_pages import UsagePages
from store.usage_rows import (
    MAX_REQUEST_ID_LENGTH,
    MAX_STATUS_LENGTH,
    address_of,
    day_parameters,
    log_row,
    total_parameters,
    within_bounds,
)
from store.values.usage import DayTotal, Kind, UsageEntry

_MAX_IPS_COUNTED: Final = 10_000
# Built once, because every relayed call runs them.
_LOG: Final = CompiledStatement(
    insert(UsageEntryRow).returning(UsageEntryRow.c.id),
    columns=[column.name for column in UsageEntryRow.c if column.name != "id"],
)
_LOG_PAST: Final = insert(UsageEntryRow).returning(UsageEntryRow.c.id, sort_by_parameter_order=True)


class UsageLog(UsagePages):
    """Appends calls to the usage log, and reads it by pages and days."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions) -> None:
        super().__init__(context, sessions)
        self._audit = audit

    def record(self, account_id: int, entry: UsageEntry) -> int:
        """Log one call; returns its id."""
        with self._context.database.write() as tx:
            return self.append(tx, account_id, entry)

    def append(self, tx: Connection, account_id: int, entry: UsageEntry) -> int:
        """Log one call inside `tx`, and add it to the totals of its day; returns its id."""
        lock_against_deletion(tx, account_id)
        return self._append(tx, account_id, entry, calls=1)

    def append_locked(self, tx: Connection, account_id: int, entry: UsageEntry) -> int:
        """`append` in a transaction that holds a lock on the account's row already."""
        return self._append(tx, account_id, entry, calls=1)

    def append_refusals(
        self, tx: Connection, account_id: int, entry: UsageEntry, count: int, *, entry_id: int | None
    ) -> int:
        """Add `count` refused calls to the totals of their day, in one log entry; returns the id of that entry.

        `entry_id` is an earlier entry of these refusals, whose detail is replaced by that of `entry`. Without it, or if
        it was deleted, a new entry is logged.
        """
        lock_against_deletion(tx, account_id)
        if entry_id is not None:
            line = update(UsageEntryRow).where(UsageEntryRow.c.id == entry_id, UsageEntryRow.c.account_id == account_id)
            if tx.execute(line.values(detail=sanitize(entry.detail, 500))).rowcount == 1:
                self._add_to_day(tx, account_id, self._context.now(), entry, entry_id=entry_id, calls=count)
                return entry_id
        return self._append(tx, account_id, entry, calls=count)

    def append_past(self, tx: Connection, account_id: int, calls: Sequence[tuple[datetime, UsageEntry]]) -> list[int]:
        """Log calls of the past inside `tx`, the oldest first, and add them to their days; returns their ids in order.

        No client address is stored. The caller prevents the deletion of the account.
        """
        known = [(at, within_bounds(entry)) for at, entry in calls]
        rows = [log_row(account_id, at, entry, client_ip=None) for at, entry in known]
        if tx.dialect.name == "sqlite":
            logged = [int(_LOG.row(tx, row).id) for row in rows]
        else:
            logged = [int(entry_id) for entry_id in tx.execute(_LOG_PAST, rows).scalars()]
        days = [
            day_parameters(account_id, at, entry, entry_id=entry_id, calls=1)
            for entry_id, (at, entry) in zip(logged, known, strict=True)
        ]
        _added_to_day(tx.dialect.name).change_each(tx, days)
        totals = [total_parameters(day, entry) for day, (_, entry) in zip(days, known, strict=True)]
        _added_to_total(tx.dialect.name).change_each(tx, totals)
        return logged

    def _append(self, tx: Connection, account_id: int, entry: UsageEntry, *, calls: int) -> int:
        entry = within_bounds(entry)
        client_ip = self._address(tx, account_id, entry)
        # The time is read once: an entry must be counted on the day that it is of.
        at = self._context.now()
        entry_id = int(_LOG.row(tx, log_row(account_id, at, entry, client_ip=client_ip)).id)
        self._add_to_day(tx, account_id, at, entry, entry_id=entry_id, calls=calls)
        return entry_id

    def _add_to_day(
        self, tx: Connection, account_id: int, at: datetime, entry: UsageEntry, *, entry_id: int, calls: int
    ) -> None:
        day = day_parameters(account_id, at, entry, entry_id=entry_id, calls=calls)
        _added_to_day(tx.dialect.name).change(tx, day)
        _added_to_total(tx.dialect.name).change(tx, total_parameters(day, entry))

    def has_task(self, account_id: int, request_id: str) -> bool:
        """True if the account started the task with the model server's id `request_id`."""
        with self._context.database.read() as tx:
            task = select(UsageEntryRow.c.id).where(*_is_task(account_id, request_id)).limit(1)
            return tx.execute(task).scalar() is not None

    def task_states(
        self, account_id: int, model: str, *, after: str | None = None, limit: int
    ) -> list[tuple[str, str]]:
        """The model server's ids of the account's tasks and their last states, newest first, after the task `after`."""
        tasks = select(UsageEntryRow.c.request_id, UsageEntryRow.c.status).where(
            UsageEntryRow.c.account_id == account_id,
            UsageEntryRow.c.kind == Kind.TASK.value,
            UsageEntryRow.c.model == model,
        )
        with self._context.database.read() as tx:
            if after is not None:
                last = select(func.max(UsageEntryRow.c.id)).where(*_is_task(account_id, after))
                tasks = tasks.where(UsageEntryRow.c.id < tx.execute(last).scalar())
            rows = tx.execute(tasks.order_by(UsageEntryRow.c.id.desc()).limit(limit))
            return [(row.request_id, row.status) for row in rows]

    def note_task_status(
        self,
        tx: Connection,
        account_id: int,
        request_id: str,
        status: str,
        *,
        done: int | None = None,
        total: int | None = None,
    ) -> None:
        """Update the status of a task's entry, and its progress where the model server told it."""
        # The same transaction may register files, which takes this lock: a weaker one first would deadlock.
        lock_for_update(tx, account_id)
        values: dict[str, Any] = {"status": sanitize(status, MAX_STATUS_LENGTH)}
        values |= {name: count for name, count in (("task_done", done), ("task_total", total)) if count is not None}
        tx.execute(update(UsageEntryRow).where(*_is_task(account_id, request_id)).values(values))

    def days(self, token: str, count: int = 30) -> list[DayTotal]:
        """The totals of the days with calls among the last `count` UTC days, oldest first."""
        with self._sessions.reading(token) as (tx, session):
            since = f"{self._context.now() - timedelta(days=count - 1):%Y-%m-%d}"
            rows = tx.execute(
                select(UsageDay)
                .where(UsageDay.c.account_id == session.account_id, UsageDay.c.day >= since)
                .order_by(UsageDay.c.day)
            )
            return [DayTotal(row.day, row.calls, row.errors, row.tokens, row.cost_micro_usd) for row in rows]

    def count_ips(self, token: str) -> int:
        """The number of entries and API keys with a client address, counted up to 10,001."""
        with self._sessions.reading(token) as (tx, session):
            holding = (
                select(UsageEntryRow.c.id)
                .where(UsageEntryRow.c.account_id == session.account_id, UsageEntryRow.c.client_ip.is_not(None))
                .limit(_MAX_IPS_COUNTED + 1)
                .subquery()
            )
            on_keys = select(func.count()).where(*_keys_with_address(session.account_id))
            entries = tx.execute(select(func.count()).select_from(holding)).scalar_one()
            return int(entries + tx.execute(on_keys).scalar_one())

    def erase_ips(self, token: str) -> int:
        """Erase all stored client addresses of the account, those of the last uses of its API keys too, also from the
        write-ahead log; returns the number.
        """
        with self._sessions.writing(token) as (tx, session):
            erased = tx.execute(
                update(UsageEntryRow)
                .where(UsageEntryRow.c.account_id == session.account_id, UsageEntryRow.c.client_ip.is_not(None))
                .values(client_ip=None)
            ).rowcount
            on_keys = update(ApiKey).where(*_keys_with_address(session.account_id)).values(last_used_ip=None)
            erased += tx.execute(on_keys).rowcount
            self._audit.record_by(tx, session, Tag.IPS_ERASED, entries=erased)
        self._context.database.checkpoint()
        return erased

    def _address(self, tx: Connection, account_id: int, entry: UsageEntry) -> str | None:
        address = address_of(entry)
        return address if address is not None and records_ip(tx, account_id) else None


@cache
def _added_to_day(dialect: str) -> CompiledStatement:
    return CompiledStatement(add_to_day(dialect))


@cache
def _added_to_total(dialect: str) -> CompiledStatement:
    return CompiledStatement(add_to_total(dialect))


def _keys_with_address(account_id: int) -> tuple[ColumnElement[bool], ...]:
    return ApiKey.c.account_id == account_id, ApiKey.c.last_used_ip.is_not(None)


def _is_task(account_id: int, request_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        UsageEntryRow.c.account_id == account_id,
        # A literal, as in the condition of the index.
        UsageEntryRow.c.kind == literal_column(f"'{Kind.TASK.value}'"),
        UsageEntryRow.c.request_id == sanitize(request_id, MAX_REQUEST_ID_LENGTH),
    )
