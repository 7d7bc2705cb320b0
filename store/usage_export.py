"""Export of the usage log as CSV, JSON or JSON Lines."""

from collections.abc import Callable, Iterator

from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.export_rows import CALL_COLUMNS, CALL_TEXTS, call_row
from store.row_export import ExportPage, Told, export_pieces
from store.row_locks import lock_against_deletion
from store.sessions import Sessions
from store.usage_keyset import MAX_PAGE_SIZE
from store.usage_pages import UsagePages
from store.usage_spans import exact_span
from store.values.row_export import ExportFormat
from store.values.usage import UsageFilter, UsagePage


class UsageExport:
    """Writes the log of an account, newest first. Each page is read in a transaction of its own.

    Each export is recorded when it begins. It needs no fresh proof, because it holds what the page shows.
    """

    def __init__(self, context: Context, audit: Audit, sessions: Sessions, usage: UsagePages) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._usage = usage

    def pieces(self, token: str, form: ExportFormat, only: UsageFilter, told: Told) -> Iterator[str]:
        """The file in pieces, for the session's account. Calls that are logged meanwhile are not in it."""

        def read(before: int | None) -> UsagePage:
            return self._usage.page(token, only, before=before, limit=MAX_PAGE_SIZE, within=span)

        with self._sessions.writing(token) as (tx, session):
            self._audit.record_by(tx, session, Tag.USAGE_EXPORTED, format=form.value)
        with self._context.database.read() as tx:
            span = exact_span(tx, session.account_id, *only.span)
            oldest = self._usage.page_after_of(tx, session.account_id, only, limit=1, within=span)
        return export_pieces(_pages(read, _lowest(oldest)), form, CALL_COLUMNS, CALL_TEXTS, told)

    def pieces_of(
        self, account_id: int, form: ExportFormat, only: UsageFilter, told: Told, *, actor: str, source: str
    ) -> Iterator[str]:
        """The file in pieces, for an administrator. Raises `DatabaseRefused` for an account that is gone."""

        def read(before: int | None) -> UsagePage:
            with self._context.database.read() as tx:
                return self._usage.page_of(tx, account_id, only, before=before, limit=MAX_PAGE_SIZE, within=span)

        with self._context.database.write() as tx:
            lock_against_deletion(tx, account_id)
            self._audit.record(tx, account_id, Tag.USAGE_EXPORTED, actor=actor, source=source, format=form.value)
        with self._context.database.read() as tx:
            span = exact_span(tx, account_id, *only.span)
            oldest = self._usage.page_after_of(tx, account_id, only, limit=1, within=span)
        return export_pieces(_pages(read, _lowest(oldest)), form, CALL_COLUMNS, CALL_TEXTS, told)


def _lowest(oldest: UsagePage) -> int:
    """The id at which the export ends, or somewhat below."""
    return oldest.entries[-1].id if oldest.entries else oldest.next_after or 0


def _pages(read: Callable[[int | None], UsagePage], lowest: int) -> Iterator[ExportPage]:
    highest, following = 0, None
    while True:
        page = read(following)
        at = page.entries[-1].id if page.entries else page.next_before or lowest
        highest = highest or (page.entries[0].id if page.entries else at)
        whole, following = highest - lowest, page.next_before
        share = 1.0 if following is None or whole <= 0 else min(1.0, (highest - at) / whole)
        yield ExportPage([call_row(logged) for logged in page.entries], share)
        if following is None:
            return
