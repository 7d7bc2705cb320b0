"""Export of the ledger as CSV, JSON or JSON Lines: every change of the balance, with the balance after it."""

from collections.abc import Callable, Iterator

from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.export_rows import CHANGE_COLUMNS, CHANGE_TEXTS, change_row
from store.ledger import MAX_PAGE_SIZE, Ledger
from store.row_export import ExportPage, Told, export_pieces
from store.row_locks import lock_against_deletion
from store.sessions import Sessions
from store.values.ledger import LedgerPage
from store.values.row_export import ExportFormat


class LedgerExport:
    """Writes the ledger of an account, newest first. Each page is read in a transaction of its own.

    Each export is recorded when it begins. It needs no fresh proof, because it holds what the page shows.
    """

    def __init__(self, context: Context, audit: Audit, sessions: Sessions, ledger: Ledger) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._ledger = ledger

    def pieces(self, token: str, form: ExportFormat, told: Told) -> Iterator[str]:
        """The file in pieces, for the session's account. Changes that are made meanwhile are not in it."""
        with self._sessions.writing(token) as (tx, session):
            self._audit.record_by(tx, session, Tag.LEDGER_EXPORTED, format=form.value)

        def read(before: int | None) -> LedgerPage:
            return self._ledger.page(token, before=before, limit=MAX_PAGE_SIZE)

        return export_pieces(_pages(read), form, CHANGE_COLUMNS, CHANGE_TEXTS, told)

    def pieces_of(self, account_id: int, form: ExportFormat, told: Told, *, actor: str, source: str) -> Iterator[str]:
        """The file in pieces, for an administrator. Raises `DatabaseRefused` for an account that is gone."""
        with self._context.database.write() as tx:
            lock_against_deletion(tx, account_id)
            self._audit.record(tx, account_id, Tag.LEDGER_EXPORTED, actor=actor, source=source, format=form.value)

        def read(before: int | None) -> LedgerPage:
            with self._context.database.read() as tx:
                return self._ledger.page_of(tx, account_id, before=before, limit=MAX_PAGE_SIZE)

        return export_pieces(_pages(read), form, CHANGE_COLUMNS, CHANGE_TEXTS, told)


def _pages(read: Callable[[int | None], LedgerPage]) -> Iterator[ExportPage]:
    newest, following = 0, None
    while True:
        page = read(following)
        newest = newest or (page.entries[0].sequence if page.entries else 0)
        following = page.next_before
        # The sequence numbers have no gap and end at 1.
        yield ExportPage(
            [change_row(entry) for entry in page.entries],
            1.0 if following is None else (newest - following + 1) / newest,
        )
        if following is None:
            return
