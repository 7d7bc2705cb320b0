"""Sessions: random tokens, stored as hashes, with an idle and an absolute limit.

Every act on an account starts with `authorise`, in the transaction of the act. It refuses a session that was revoked,
locked, idle or old, or whose epoch is not the account's. On request it also refuses a session without a proof of
identity in the last five minutes.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import (
    ClockWentBack,
    FreshProofRequired,
    NoSuchItem,
    SessionEnded,
    SessionLocked,
    SessionSuspended,
)
from store.models import Account, PendingSignIn, Session
from store.row_locks import Lock, lock_against_deletion, lock_for_update, lock_to_delete
from store.text import sanitize
from store.values.sessions import SessionInfo

IDLE_LIMIT: Final = timedelta(hours=1)
ABSOLUTE_LIMIT: Final = timedelta(hours=12)
PROOF_LIFETIME: Final = timedelta(minutes=5)
CLOCK_TOLERANCE: Final = timedelta(minutes=2)
_ACTIVITY_INTERVAL: Final = timedelta(minutes=1)

# Every act of a user runs these. Building a statement takes SQLAlchemy eight times as long as running it, so they are
# built once.
_SESSION: Final = (
    select(
        Session.c.id,
        Session.c.account_id,
        Session.c.epoch,
        Session.c.source,
        Session.c.created_at,
        Session.c.last_active_at,
        Session.c.proof_at,
        Session.c.locked_at,
        Account.c.name,
        Account.c.email,
        Account.c.role,
        Account.c.auth_epoch,
        Account.c.suspended_at,
    )
    .join(Account, Account.c.id == Session.c.account_id)
    .where(Session.c.token_hash == bindparam("hashed"))
)
_OWNER: Final = select(Session.c.account_id).where(Session.c.token_hash == bindparam("hashed"))


class AuthorizedSession(NamedTuple):
    """A session that `Sessions.authorise` accepted, and its account."""

    session_id: int
    account_id: int
    name: str
    email: str
    role: str
    source: str
    proved_at: datetime | None
    is_stale: bool
    """True if the stored time of the last activity is older than `_ACTIVITY_INTERVAL`."""


def digest(token: str) -> bytes:
    """SHA-256 of a random token. From 128 random bits on, a plain hash is enough (OWASP ASVS 5.0, 6.5.2)."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


class Sessions:
    """Opens, authorises, lists, locks and ends sessions."""

    def __init__(self, context: Context, audit: Audit) -> None:
        self._context = context
        self._audit = audit
        self.announce: Callable[[bytes], None] | None = None
        """Called with the `digest` of each session before it is stored, so that another process can end it if this one
        is killed."""

    @contextmanager
    def reading(self, token: str, *, is_activity: bool = True) -> Iterator[tuple[Connection, AuthorizedSession]]:
        """A read transaction for a session. Raises the errors of `authorise`.

        `is_activity` is False for a read that no person asked for. It does not extend the session.
        """
        with self._context.database.read() as tx:
            session = self.authorise(tx, token)
            yield tx, session
        if is_activity and session.is_stale:
            with self._context.database.write() as tx:
                self._touch(tx, session.session_id)

    @contextmanager
    def writing(
        self, token: str, *, proof: bool = False, to_delete: bool = False
    ) -> Iterator[tuple[Connection, AuthorizedSession]]:
        """A write transaction for a session, with the lock on the account's row.

        Two changes of one account are serialized: on PostgreSQL by the row lock, on SQLite by the file lock. `proof`
        requires a proof of identity within `PROOF_LIFETIME`. `to_delete` takes the lock for the account's deletion.
        Raises the errors of `authorise`.
        """
        with self._context.database.write() as tx:
            session = self.authorise(tx, token, proof=proof, lock=lock_to_delete if to_delete else lock_for_update)
            if session.is_stale:
                self._touch(tx, session.session_id)
            yield tx, session

    def authorise(
        self, tx: Connection, token: str, *, proof: bool = False, lock: Lock | None = None
    ) -> AuthorizedSession:
        """The session of a token, and its account. `lock` locks the account's row until `tx` ends.

        Raises `SessionEnded`, `SessionSuspended`, `SessionLocked`, `FreshProofRequired` or `ClockWentBack`.
        """
        now, hashed = self._context.now(), {"hashed": digest(token)}
        if lock is not None:
            lock(tx, _OWNER, hashed)
        row = tx.execute(_SESSION, hashed).one_or_none()
        if row is not None and row.suspended_at is not None:
            raise SessionSuspended
        if row is None or row.epoch != row.auth_epoch:
            raise SessionEnded
        if now < row.last_active_at - CLOCK_TOLERANCE:
            raise ClockWentBack
        if now - row.created_at >= ABSOLUTE_LIMIT or now - row.last_active_at >= IDLE_LIMIT:
            raise SessionEnded
        if row.locked_at is not None:
            raise SessionLocked
        if proof and not is_fresh(row.proof_at, now):
            raise FreshProofRequired
        return AuthorizedSession(
            session_id=row.id,
            account_id=row.account_id,
            name=row.name,
            email=row.email,
            role=row.role,
            source=row.source,
            proved_at=row.proof_at,
            is_stale=now - row.last_active_at >= _ACTIVITY_INTERVAL,
        )

    def open(self, tx: Connection, account_id: int, epoch: int, *, method: str, source: str) -> str:
        """Insert a session after a successful sign-in; returns its token, which is not stored.

        `epoch` is the account's `auth_epoch`, read under its row lock.
        """
        now, token = self._context.now(), self._context.rng.randbytes(32).hex()
        if self.announce is not None:
            self.announce(digest(token))
        tx.execute(
            delete(Session).where(
                Session.c.account_id == account_id,
                or_(Session.c.last_active_at < now - IDLE_LIMIT, Session.c.created_at < now - ABSOLUTE_LIMIT),
            )
        )
        tx.execute(
            insert(Session).values(
                account_id=account_id,
                token_hash=digest(token),
                epoch=epoch,
                method=method,
                source=sanitize(source, 200),
                created_at=now,
                last_active_at=now,
                proof_at=now,
                locked_at=None,
            )
        )
        return token

    def note_proof(self, tx: Connection, session_id: int) -> None:
        """Store the time of a proof of identity, and unlock the session."""
        now = self._context.now()
        tx.execute(
            update(Session).where(Session.c.id == session_id).values(proof_at=now, last_active_at=now, locked_at=None)
        )

    def end_others(self, tx: Connection, account_id: int, keep: int | None) -> int:
        """End all sessions but `keep`, and pending sign-ins, by a new `auth_epoch`; returns the number of sessions."""
        epoch = tx.execute(
            update(Account)
            .where(Account.c.id == account_id)
            .values(auth_epoch=Account.c.auth_epoch + 1)
            .returning(Account.c.auth_epoch)
        ).scalar_one()
        if keep is not None:
            tx.execute(update(Session).where(Session.c.id == keep).values(epoch=epoch))
        tx.execute(delete(PendingSignIn).where(PendingSignIn.c.account_id == account_id))
        return tx.execute(delete(Session).where(Session.c.account_id == account_id, Session.c.epoch < epoch)).rowcount

    def is_live(self, tx: Connection, session_id: int | None) -> bool:
        """True if a session is valid. It is for passkey ceremonies, which finish without the session's token."""
        now = self._context.now()
        live = (
            select(Session.c.id)
            .join(Account, Account.c.id == Session.c.account_id)
            .where(
                Session.c.id == session_id,
                Session.c.epoch == Account.c.auth_epoch,
                Account.c.suspended_at.is_(None),
                Session.c.locked_at.is_(None),
                Session.c.created_at > now - ABSOLUTE_LIMIT,
                Session.c.last_active_at > now - IDLE_LIMIT,
            )
        )
        return tx.execute(live).scalar() is not None

    def whoami(self, token: str) -> AuthorizedSession:
        """The session of a token, and its account. Raises the errors of `authorise`."""
        with self.reading(token) as (_, session):
            return session

    def list(self, token: str) -> list[SessionInfo]:
        """The account's valid sessions: the current one first, then by last activity."""
        now = self._context.now()
        with self.reading(token) as (tx, session):
            rows = tx.execute(
                select(Session)
                .where(
                    Session.c.account_id == session.account_id,
                    Session.c.last_active_at > now - IDLE_LIMIT,
                    Session.c.created_at > now - ABSOLUTE_LIMIT,
                )
                .order_by(Session.c.last_active_at.desc(), Session.c.id.desc())
            ).all()
        listed = [
            SessionInfo(
                row.id,
                row.id == session.session_id,
                row.method,
                row.source,
                row.created_at,
                row.last_active_at,
            )
            for row in rows
        ]
        return sorted(listed, key=lambda info: not info.is_current)

    def end(self, token: str) -> None:
        """Sign out. An invalid token is ignored."""
        self.end_announced(digest(token))

    def end_announced(self, hashed: bytes) -> None:
        """Sign out by the `digest` of the token. One without a session is ignored."""
        with self._context.database.write() as tx:
            lock_against_deletion(tx, _OWNER, {"hashed": hashed})
            row = tx.execute(
                delete(Session).where(Session.c.token_hash == hashed).returning(Session.c.account_id, Session.c.source)
            ).one_or_none()
            if row is not None:
                self._audit.record(tx, row.account_id, Tag.SIGNED_OUT, actor="self", source=row.source)

    def revoke(self, token: str, session_id: int) -> None:
        """End one other session of the account. Raises `NoSuchItem`."""
        with self.writing(token) as (tx, session):
            gone = tx.execute(
                delete(Session).where(Session.c.id == session_id, Session.c.account_id == session.account_id)
            )
            if gone.rowcount != 1:
                raise NoSuchItem("That session has already ended.")
            self._audit.record_by(tx, session, Tag.SIGNED_OUT)

    def sign_out_others(self, token: str) -> int:
        """End every other session of the account; returns the number."""
        with self.writing(token) as (tx, session):
            ended = self.end_others(tx, session.account_id, keep=session.session_id)
            self._audit.record_by(tx, session, Tag.OTHERS_SIGNED_OUT, sessions=ended)
            return ended

    def lock(self, token: str) -> None:
        """Lock the session. It is refused until a re-authentication unlocks it."""
        with self._context.database.write() as tx:
            row = tx.execute(
                update(Session)
                .where(Session.c.token_hash == digest(token), Session.c.locked_at.is_(None))
                .values(locked_at=self._context.now(), proof_at=None)
                .returning(Session.c.account_id, Session.c.source)
            ).one_or_none()
            if row is not None:
                self._audit.record(tx, row.account_id, Tag.SESSION_LOCKED, actor="self", source=row.source)

    def _touch(self, tx: Connection, session_id: int) -> None:
        tx.execute(update(Session).where(Session.c.id == session_id).values(last_active_at=self._context.now()))


def is_fresh(proved_at: datetime | None, now: datetime) -> bool:
    """True if a proof at `proved_at` is still valid. A time more than `CLOCK_TOLERANCE` ahead is not."""
    return proved_at is not None and -CLOCK_TOLERANCE <= now - proved_at < PROOF_LIFETIME
