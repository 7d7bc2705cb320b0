"""Deletion of an account with all its data, in one transaction, and from the disk."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert

from store.accounts import Role, is_last_administrator
from store.attempts import Attempts
from store.audit import Audit
from store.audit_tags import COMMAND_LINE
from store.context import Context
from store.errors import LastAdministrator, RootAccount, UsernameDoesNotMatch
from store.models import Account, Tombstone
from store.notices import Notices
from store.row_locks import lock_administrators, lock_by_name
from store.sessions import Sessions
from store.text import normalize
from store.throttle import Factor, Throttles


@dataclass(frozen=True, slots=True)
class Deleted:
    """The result of a deletion.

    `is_off_disk` is False while another program still reads SQLite's write-ahead log, and on PostgreSQL, which keeps
    old row versions until a vacuum.
    """

    tombstone: str
    is_off_disk: bool


class Deletion:
    """Deletes accounts, for their owner or an administrator."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        throttles: Throttles,
        attempts: Attempts,
        sessions: Sessions,
        notices: Notices,
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._attempts = attempts
        self._sessions = sessions
        self._notices = notices

    def refuse_if_protected(self, token: str) -> bool:
        """Raise `RootAccount` or `LastAdministrator` if this account cannot be deleted, before a name is typed.

        Returns True if the database keeps deleted rows until a vacuum.
        """
        with self._sessions.reading(token) as (tx, session):
            if session.role == Role.ROOT.value:
                raise RootAccount
            if is_last_administrator(tx, session.account_id):
                raise LastAdministrator
        return self._context.database.is_postgresql

    def delete(self, token: str, typed_name: str) -> Deleted:
        """Delete the session's account and all data about it.

        `typed_name` must equal the name exactly. A wrong one counts as a wrong password. Raises
        `UsernameDoesNotMatch`, `FreshProofRequired`, `RootAccount`, `LastAdministrator`, `TooManyAttempts`.
        """
        session = self._sessions.whoami(token)
        if normalize(typed_name) != session.name:
            with self._attempts.counted(Factor.PASSWORD, session.account_id, session.name, source=session.source):
                raise UsernameDoesNotMatch(field="username")
        tombstone = self._context.rng.randbytes(16).hex()
        with self._sessions.writing(token, proof=True, to_delete=True) as (tx, session):
            if session.role == Role.ROOT.value:
                raise RootAccount
            lock_administrators(tx)
            if is_last_administrator(tx, session.account_id):
                raise LastAdministrator
            self._remove(tx, session.account_id, session.name, session.email, tombstone, actor="self", source="")
        return self._result(tombstone)

    def delete_by_name(self, name: str, *, actor: str) -> Deleted:
        """Delete an account for an administrator. Its running consoles end at their next call.

        Raises `NoSuchAccount`, `RootAccount`, `LastAdministrator`.
        """
        tombstone = self._context.rng.randbytes(16).hex()
        with self._context.database.write() as tx:
            account = lock_by_name(tx, name, to_delete=True)
            if account.role == Role.ROOT.value:
                raise RootAccount("The root account cannot be deleted. Give it another role first.")
            lock_administrators(tx)
            if is_last_administrator(tx, account.id):
                raise LastAdministrator
            told = {"actor": actor, "source": COMMAND_LINE}
            self._remove(tx, account.id, account.name, account.email, tombstone, **told)
        return self._result(tombstone)

    def _remove(
        self, tx: Connection, account_id: int, name: str, email: str, tombstone: str, *, actor: str, source: str
    ) -> None:
        self._notices.enqueue_deletion_notice(tx, email)
        self._throttles.forget(tx, name)
        self._audit.record_deletion(tx, account_id, actor=actor, source=source, tombstone=tombstone)
        tx.execute(delete(Account).where(Account.c.id == account_id))
        tx.execute(insert(Tombstone).values(id=tombstone, deleted_at=self._context.now()))

    def _result(self, tombstone: str) -> Deleted:
        is_off_disk = self._context.database.checkpoint() and not self._context.database.is_postgresql
        return Deleted(tombstone, is_off_disk)
