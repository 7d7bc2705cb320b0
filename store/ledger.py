"""The ledger of an account: every change of its balance, in order, with the balance after it.

An entry is written in the transaction that changes the balance. Its sequence number and balance come from the UPDATE of
the quota, so that the entries of concurrent changes have the order of the changes.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from store.compiled_statement import CompiledStatement
from store.context import Context
from store.db_enums import db_enum
from store.errors import InvalidNumber
from store.models import LedgerEntryRow
from store.sessions import Sessions
from store.text import sanitize
from store.values.ledger import LedgerEntry, LedgerKind, LedgerPage

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 500
_MAX_REASON_LENGTH: Final = 200
_MAX_ACTOR_LENGTH: Final = 64

_RECORD: Final = CompiledStatement(insert(LedgerEntryRow), columns=[column.name for column in LedgerEntryRow.c])
"""Built once, because every relayed call runs it."""


class Ledger:
    """Appends changes of balances, and reads them by pages."""

    def __init__(self, context: Context, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions

    def append(
        self,
        tx: Connection,
        account_id: int,
        kind: LedgerKind,
        *,
        sequence: int,
        amount_micro_usd: int,
        balance_micro_usd: int,
        usage_entry_id: int | None = None,
        reason: str = "",
        actor: str = "",
    ) -> None:
        """Write the entry of a change that `tx` made to the quota. `sequence` is `Quota.ledger_sequence` after it."""
        entry = LedgerEntry(
            sequence, self._context.now(), kind, amount_micro_usd, balance_micro_usd, usage_entry_id, reason, actor
        )
        _RECORD.change(tx, ledger_row(account_id, entry))

    def append_past(self, tx: Connection, account_id: int, entries: Sequence[LedgerEntry]) -> None:
        """Write entries of past changes, which `tx` made to the quota all at once."""
        _RECORD.change_each(tx, [ledger_row(account_id, entry) for entry in entries])

    def page(self, token: str, *, before: int | None = None, limit: int = PAGE_SIZE) -> LedgerPage:
        """Entries of the session's account below sequence number `before`, newest first. Raises `InvalidNumber`."""
        with self._sessions.reading(token) as (tx, session):
            return self.page_of(tx, session.account_id, before=before, limit=limit)

    def newer_page(self, token: str, *, after: int = 0, limit: int = PAGE_SIZE) -> LedgerPage:
        """The oldest entries above sequence number `after`. Within the page, too, the newest entry is first."""
        with self._sessions.reading(token) as (tx, session):
            query = (
                select(LedgerEntryRow)
                .where(LedgerEntryRow.c.account_id == session.account_id, LedgerEntryRow.c.sequence > after)
                .order_by(LedgerEntryRow.c.sequence)
                .limit(limit + 1)
            )
            rows = tx.execute(query).all()
        entries = tuple(_entry(row) for row in reversed(rows[:limit]))
        return LedgerPage(entries, next_after=entries[0].sequence if len(rows) > limit else None)

    def page_of(
        self, tx: Connection, account_id: int, *, before: int | None = None, limit: int = PAGE_SIZE
    ) -> LedgerPage:
        """The entries of an account, as `page`, inside `tx`. The time does not grow with the ledger or the page."""
        if not 1 <= limit <= MAX_PAGE_SIZE:
            raise InvalidNumber(f"A page has 1 to {MAX_PAGE_SIZE} entries.", field="limit")
        query = select(LedgerEntryRow).where(LedgerEntryRow.c.account_id == account_id)
        if before is not None:
            query = query.where(LedgerEntryRow.c.sequence < before)
        rows = tx.execute(query.order_by(LedgerEntryRow.c.sequence.desc()).limit(limit + 1)).all()
        entries = tuple(_entry(row) for row in rows[:limit])
        return LedgerPage(entries, entries[-1].sequence if len(rows) > limit else None)


def ledger_row(account_id: int, entry: LedgerEntry) -> dict[str, Any]:
    """The columns of an entry."""
    return {
        "account_id": account_id,
        "sequence": entry.sequence,
        "at": entry.at,
        "kind": entry.kind.value,
        "amount_micro_usd": entry.amount_micro_usd,
        "balance_micro_usd": entry.balance_micro_usd,
        "usage_entry_id": entry.usage_entry_id,
        "reason": sanitize(entry.reason, _MAX_REASON_LENGTH),
        "actor": sanitize(entry.actor, _MAX_ACTOR_LENGTH),
    }


def _entry(row: Any) -> LedgerEntry:
    return LedgerEntry(
        sequence=row.sequence,
        at=row.at,
        kind=db_enum(LedgerKind, row.kind),
        amount_micro_usd=row.amount_micro_usd,
        balance_micro_usd=row.balance_micro_usd,
        usage_entry_id=row.usage_entry_id,
        reason=row.reason,
        actor=row.actor,
    )
