"""API keys of the model relay: named, stored as hashes, each with limits of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, or_, select

from store.access_token import TokenHolder
from store.api_key_acts import ApiKeyActs, KeyActor
from store.api_key_use import ApiKeyUse
from store.audit import Audit
from store.audit_tags import COMMAND_LINE
from store.context import Context
from store.models import ApiKey
from store.row_locks import lock_by_name
from store.sessions import Sessions, is_fresh
from store.token_proofs import SOURCE, Proof
from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, NewApiKey


class ApiKeys(ApiKeyUse):
    """The keys of accounts: their use by the relay, and their acts by sessions, administrators and bearer tokens."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions) -> None:
        super().__init__(context)
        self._sessions = sessions
        self.acts = ApiKeyActs(context, audit)

    @contextmanager
    def acting(self, token: str) -> Iterator[tuple[Connection, KeyActor]]:
        """A write transaction for the acts of a session. Raises the errors of `Sessions.authorise`."""
        with self._sessions.writing(token) as (tx, session):
            is_proved = is_fresh(session.proved_at, self._context.now())
            yield tx, KeyActor(session.account_id, session.name, session.source, is_proved)

    @contextmanager
    def administering(self, name: str, *, actor: str) -> Iterator[tuple[Connection, KeyActor]]:
        """A write transaction for the acts of an administrator on the account `name`. Raises `NoSuchAccount`."""
        with self._context.database.write() as tx:
            yield tx, KeyActor(lock_by_name(tx, name).id, actor, COMMAND_LINE, is_proved=True)

    def actor_with_token(self, tx: Connection, holder: TokenHolder, proof: Proof | None) -> KeyActor:
        """The holder of a bearer token, which itself proves nothing. `tx` holds the account's lock."""
        is_proved = proof is not None and proof.holds(tx, holder.account_id)
        return KeyActor(holder.account_id, holder.name, SOURCE, is_proved)

    def list(self, token: str, *, with_revoked: bool = True) -> list[ApiKeyInfo]:
        """The keys of the session's account, newest first; of the revoked ones only the newest (`ApiKeyActs.list`)."""
        with self._sessions.reading(token) as (tx, session):
            return self.acts.list(tx, session.account_id, with_revoked=with_revoked)

    def count_active(self, token: str) -> int:
        """The number of keys of the account that the relay accepts now."""
        with self._sessions.reading(token) as (tx, session):
            usable = (
                ApiKey.c.account_id == session.account_id,
                ApiKey.c.revoked_at.is_(None),
                ApiKey.c.disabled_at.is_(None),
                or_(ApiKey.c.expires_at.is_(None), ApiKey.c.expires_at > self._context.now()),
            )
            return tx.execute(select(func.count()).select_from(ApiKey).where(*usable)).scalar_one()

    def create(self, token: str, name: str, limits: ApiKeyLimits | None = None) -> NewApiKey:
        """Create a key. Raises what `ApiKeyActs.create` raises."""
        with self.acting(token) as (tx, actor):
            return self.acts.create(tx, actor, name, limits or ApiKeyLimits())

    def edit(
        self, token: str, key_id: int, name: str, limits: ApiKeyLimits, *, expected: ApiKeyInfo | None = None
    ) -> ApiKeyInfo:
        """Change the name and the limits of a key. Raises what `ApiKeyActs.edit` raises."""
        with self.acting(token) as (tx, actor):
            return self.acts.edit(tx, actor, key_id, name, limits, expected=expected)

    def rotate(self, token: str, key_id: int, *, overlap_minutes: int = 0) -> NewApiKey:
        """Give a key a new secret. Raises what `ApiKeyActs.rotate` raises."""
        with self.acting(token) as (tx, actor):
            return self.acts.rotate(tx, actor, key_id, overlap_minutes=overlap_minutes)

    def disable(self, token: str, key_id: int) -> ApiKeyInfo:
        """Refuse a key until it is enabled again. Raises what `ApiKeyActs.disable` raises."""
        with self.acting(token) as (tx, actor):
            return self.acts.disable(tx, actor, key_id)

    def enable(self, token: str, key_id: int) -> ApiKeyInfo:
        """Accept a disabled key again. Raises what `ApiKeyActs.enable` raises."""
        with self.acting(token) as (tx, actor):
            return self.acts.enable(tx, actor, key_id)

    def revoke(self, token: str, key_id: int) -> None:
        """Refuse a key for ever. Raises `NoSuchItem`."""
        with self.acting(token) as (tx, actor):
            self.acts.revoke(tx, actor, key_id)
