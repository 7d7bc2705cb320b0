"""Deleting an account: all of it, in one transaction, off the disk as well."""

from dataclasses import dataclass

from sqlalchemy import delete, insert

from store.accounts import Role, is_last_administrator
from store.audit import Audit
from store.context import Context
from store.errors import LastAdministrator, RootAccount, UsernameDoesNotMatch
from store.models import Account, Tombstone
from store.notices import Notices
from store.row_locks import hold_administrators
from store.sessions import Sessions
from store.text import normal
from store.throttle import Factor, Throttles
from store.tries import Tries


@dataclass(frozen=True, slots=True)
class Deleted:
    """An account is gone.

    `is_off_disk` is False while another program still reads the log it was deleted from, and on PostgreSQL, which
    keeps old versions of rows until they are vacuumed.
    """

    tombstone: str
    is_off_disk: bool


class Deletion:
    def __init__(
        self,
        context: Context,
        audit: Audit,
        throttles: Throttles,
        tries: Tries,
        sessions: Sessions,
        notices: Notices,
    ) -> None:
        self._context = context
        self._audit = audit
        self._throttles = throttles
        self._tries = tries
        self._sessions = sessions
        self._notices = notices

    def refuse_if_protected(self, token: str) -> bool:
        """Say before anything is typed that this account stays. Raises `RootAccount`, `LastAdministrator`.

        Returns whether the database keeps old versions of deleted rows until they are vacuumed.
        """
        with self._sessions.reading(token) as (tx, acting):
            if acting.role == Role.ROOT.value:
                raise RootAccount
            if is_last_administrator(tx, acting.account_id):
                raise LastAdministrator
        return self._context.database.is_postgresql

    def delete(self, token: str, typed_name: str) -> Deleted:
        """Delete the session's account and everything stored about it.

        `typed_name` must be the name exactly; a wrong one is charged like a wrong password. Raises
        `UsernameDoesNotMatch`, `FreshProofRequired`, `RootAccount`, `LastAdministrator`, `TooManyAttempts`.
        """
        acting = self._sessions.whoami(token)
        if normal(typed_name) != acting.name:
            with self._tries.one(Factor.PASSWORD, acting.account_id, acting.name, source=acting.source):
                raise UsernameDoesNotMatch(field="username")
        tombstone = self._context.rng.randbytes(16).hex()
        with self._sessions.writing(token, proof=True) as (tx, acting):
            if acting.role == Role.ROOT.value:
                raise RootAccount
            hold_administrators(tx)
            if is_last_administrator(tx, acting.account_id):
                raise LastAdministrator
            self._notices.enqueue_farewell(tx, acting.email)
            self._throttles.forget(tx, acting.name)
            self._audit.record_deletion(tx, acting.account_id, actor="self", source="", tombstone=tombstone)
            tx.execute(delete(Account).where(Account.id == acting.account_id))
            tx.execute(insert(Tombstone).values(id=tombstone, deleted_at=self._context.now()))
        is_off_disk = self._context.database.checkpoint() and not self._context.database.is_postgresql
        return Deleted(tombstone, is_off_disk)
