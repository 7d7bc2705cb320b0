"""The System Access Token: one per account, shown once, stored as a hash, invalid once a new one is generated."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from store import tokens
from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import AccountSuspended, DatabaseBusy, InvalidToken, NotEnabled
from store.models import AccessToken, Account, PrivacySettingsRow
from store.notices import Notices
from store.row_locks import lock_for_update
from store.sessions import Sessions, digest
from store.upsert import upsert
from store.values.access_token import AccessTokenInfo, NewAccessToken

LAST_USE_INTERVAL: Final = timedelta(minutes=1)


class TokenHolder(NamedTuple):
    """The account of a token. A token alone does not allow acts that need a fresh proof."""

    account_id: int
    name: str
    email: str
    role: str
    created_at: datetime
    records_ip: bool
    """True if the account records client addresses; False if the setting cannot be read."""
    is_stale: bool
    """True if the stored time of the last use is older than `LAST_USE_INTERVAL`."""


_HOLDER: Final = (
    select(
        Account.c.id,
        Account.c.name,
        Account.c.email,
        Account.c.role,
        Account.c.created_at,
        Account.c.suspended_at,
        AccessToken.c.last_used_at,
        PrivacySettingsRow.c.record_client_ip,
    )
    .join(Account, Account.c.id == AccessToken.c.account_id)
    .outerjoin(PrivacySettingsRow, PrivacySettingsRow.c.account_id == AccessToken.c.account_id)
    .where(AccessToken.c.token_hash == bindparam("hashed"))
)
_OWNER: Final = select(AccessToken.c.account_id).where(AccessToken.c.token_hash == bindparam("hashed"))
"""Built once, because every call of the account API runs them."""


class AccessTokens:
    """Generates, revokes and authenticates System Access Tokens."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions, notices: Notices) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._notices = notices

    def status(self, token: str) -> AccessTokenInfo | None:
        """The System Access Token of the session's account, or None without one."""
        with self._sessions.reading(token) as (tx, session):
            row = tx.execute(select(AccessToken).where(AccessToken.c.account_id == session.account_id)).one_or_none()
        return None if row is None else AccessTokenInfo(row.last_four, row.created_at, row.last_used_at)

    def generate(self, token: str) -> NewAccessToken:
        """Generate a new token; the old one is refused from the commit on.

        Of two concurrent calls the later commit is valid. Raises `FreshProofRequired`.
        """
        new, now = tokens.generate(tokens.ACCESS_TOKEN_PREFIX, self._context.rng), self._context.now()
        values = {"token_hash": digest(new), "last_four": new[-4:], "created_at": now, "last_used_at": None}
        with self._sessions.writing(token, proof=True) as (tx, session):
            upsert(
                tx,
                AccessToken,
                {"account_id": session.account_id},
                {"generation": (1, AccessToken.c.generation + 1), **values},
            )
            self._audit.record_by(tx, session, Tag.ACCESS_TOKEN_GENERATED)
            self._notices.enqueue(tx, session.account_id, Tag.ACCESS_TOKEN_GENERATED)
        return NewAccessToken(new, AccessTokenInfo(new[-4:], now, None))

    def revoke(self, token: str) -> None:
        """Delete the token. Raises `NotEnabled` without one, `FreshProofRequired`."""
        with self._sessions.writing(token, proof=True) as (tx, session):
            gone = tx.execute(delete(AccessToken).where(AccessToken.c.account_id == session.account_id))
            if gone.rowcount != 1:
                raise NotEnabled("There is no System Access Token to revoke.")
            self._audit.record_by(tx, session, Tag.ACCESS_TOKEN_REVOKED)
            self._notices.enqueue(tx, session.account_id, Tag.ACCESS_TOKEN_REVOKED)

    def authenticate(self, token: str) -> TokenHolder:
        """The account of a bearer token. The time of use is stored at most once per `LAST_USE_INTERVAL`.

        Raises `InvalidToken`, `AccountSuspended`.
        """
        with self.reading(token) as (_, holder):
            return holder

    @contextmanager
    def reading(self, token: str) -> Iterator[tuple[Connection, TokenHolder]]:
        """A read transaction for the holder of a bearer token. Raises `InvalidToken`, `AccountSuspended`."""
        if not tokens.is_well_formed(token, tokens.ACCESS_TOKEN_PREFIX):
            raise InvalidToken  # no database query needed
        with self._context.database.read() as tx:
            holder = self.holder(tx, token)
            yield tx, holder
        if holder.is_stale:
            # A read does not wait for another writer. The next use is noted instead.
            with suppress(DatabaseBusy), self._context.database.write(lock_timeout_s=0) as tx:
                self._note_use(tx, token)

    def holder(self, tx: Connection, token: str, *, to_write: bool = False) -> TokenHolder:
        """The account of a bearer token, inside `tx`. `to_write` locks the account's row and notes the use in `tx`.

        Raises `InvalidToken`, `AccountSuspended`.
        """
        now = self._context.now()
        if to_write:
            lock_for_update(tx, _OWNER, {"hashed": digest(token)})
        row = tx.execute(_HOLDER, {"hashed": digest(token)}).one_or_none()
        if row is None:
            raise InvalidToken
        if row.suspended_at is not None:
            raise AccountSuspended
        holder = TokenHolder(
            account_id=row.id,
            name=row.name,
            email=row.email,
            role=row.role,
            created_at=row.created_at,
            records_ip=row.record_client_ip is True,
            is_stale=row.last_used_at is None or now - row.last_used_at >= LAST_USE_INTERVAL,
        )
        if to_write and holder.is_stale:
            self._note_use(tx, token)
        return holder

    def _note_use(self, tx: Connection, token: str) -> None:
        now = self._context.now()
        stale = or_(AccessToken.c.last_used_at.is_(None), AccessToken.c.last_used_at <= now - LAST_USE_INTERVAL)
        tx.execute(update(AccessToken).where(AccessToken.c.token_hash == digest(token), stale).values(last_used_at=now))
