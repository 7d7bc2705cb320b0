"""Suspension of accounts by an administrator. A suspended account has no sessions, sign-ins, token or keys."""

from sqlalchemy import delete, update

from store.accounts import is_last_administrator
from store.audit import Audit
from store.audit_tags import COMMAND_LINE, Tag
from store.context import Context
from store.errors import AlreadySuspended, LastAdministrator, NotSuspended
from store.models import Account, PendingSignIn
from store.notices import Notices
from store.row_locks import lock_administrators, lock_by_name
from store.sessions import Sessions


class Suspensions:
    """Suspends and resumes accounts. The other topics check `Account.suspended_at` themselves."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions, notices: Notices) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._notices = notices

    def suspend(self, name: str, *, actor: str) -> None:
        """Refuse the sessions, sign-ins, token and keys of an account from the next call on.

        Raises `NoSuchAccount`, `AlreadySuspended`, `LastAdministrator`.
        """
        with self._context.database.write() as tx:
            account = lock_by_name(tx, name)
            lock_administrators(tx)
            if is_last_administrator(tx, account.id):
                raise LastAdministrator
            # The session rows stay, unusable by the raised epoch, so that their consoles can be told the reason.
            suspended = tx.execute(
                update(Account)
                .where(Account.c.id == account.id, Account.c.suspended_at.is_(None))
                .values(suspended_at=self._context.now(), auth_epoch=Account.c.auth_epoch + 1)
            )
            if suspended.rowcount != 1:
                raise AlreadySuspended
            tx.execute(delete(PendingSignIn).where(PendingSignIn.c.account_id == account.id))
            self._audit.record(tx, account.id, Tag.ACCOUNT_SUSPENDED, actor=actor, source=COMMAND_LINE)
            self._notices.enqueue(tx, account.id, Tag.ACCOUNT_SUSPENDED)

    def resume(self, name: str, *, actor: str) -> None:
        """Lift a suspension. Earlier sessions stay ended. Raises `NoSuchAccount`, `NotSuspended`."""
        with self._context.database.write() as tx:
            account = lock_by_name(tx, name)
            resumed = tx.execute(
                update(Account)
                .where(Account.c.id == account.id, Account.c.suspended_at.is_not(None))
                .values(suspended_at=None)
            )
            if resumed.rowcount != 1:
                raise NotSuspended
            self._sessions.end_others(tx, account.id, keep=None)
            self._audit.record(tx, account.id, Tag.ACCOUNT_RESUMED, actor=actor, source=COMMAND_LINE)
            self._notices.enqueue(tx, account.id, Tag.ACCOUNT_RESUMED)
