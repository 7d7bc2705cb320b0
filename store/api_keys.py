"""API keys of the model relay: named, stored as hashes, each with an optional expiry and spend limit."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from store import inputs, tokens
from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import AccountSuspended, DatabaseBusy, InvalidApiKey, InvalidExpiry, LimitReached, NoSuchItem
from store.models import Account, ApiKey, PrivacySettingsRow, Quota
from store.money import check_spend_limit
from store.sessions import Sessions, digest
from store.values.api_keys import ApiKeyInfo, NewApiKey

MAX_API_KEYS: Final = 50
LAST_USE_INTERVAL: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The account of an API key, and the money it can use."""

    account_id: int
    account_name: str
    key_id: int | None
    """None: the call is made for the account itself, without a key."""
    key_name: str
    records_ip: bool
    """True if the account records client addresses; False if the setting cannot be read."""
    is_stale: bool
    """True if the stored time of the last use is older than `LAST_USE_INTERVAL`."""
    free_micro_usd: int
    """The account's quota that is not held for other calls, when it was read. Only a hold reserves it."""
    held_micro_usd: int
    """The amount held for other calls of the account."""
    free_on_key_micro_usd: int | None
    """The free part of the key's own limit; None without a limit."""
    held_on_key_micro_usd: int


_OF_ACCOUNT: Final = (
    Account.c.id.label("account_id"),
    Account.c.name.label("account_name"),
    Account.c.suspended_at,
    PrivacySettingsRow.c.record_client_ip,
    (Quota.c.remaining_micro_usd - Quota.c.held_micro_usd).label("free"),
    Quota.c.held_micro_usd.label("held"),
)
_USABLE_KEY: Final = (
    select(
        *_OF_ACCOUNT,
        ApiKey.c.id,
        ApiKey.c.name,
        ApiKey.c.last_used_at,
        ApiKey.c.held_micro_usd.label("held_on_key"),
        (ApiKey.c.spend_limit_micro_usd - ApiKey.c.spent_micro_usd - ApiKey.c.held_micro_usd).label("free_on_key"),
    )
    .join(Account, Account.c.id == ApiKey.c.account_id)
    .join(Quota, Quota.c.account_id == ApiKey.c.account_id)
    .outerjoin(PrivacySettingsRow, PrivacySettingsRow.c.account_id == ApiKey.c.account_id)
    .where(
        ApiKey.c.revoked_at.is_(None),
        or_(ApiKey.c.expires_at.is_(None), ApiKey.c.expires_at > bindparam("now")),
    )
)
# Built once, because every relayed call runs one of them.
_HOLDER: Final = _USABLE_KEY.where(ApiKey.c.key_hash == bindparam("hashed"))
_HOLDER_BY_ID: Final = _USABLE_KEY.where(ApiKey.c.id == bindparam("key"), ApiKey.c.account_id == bindparam("account"))
_ACCOUNT: Final = (
    select(*_OF_ACCOUNT)
    .join(Quota, Quota.c.account_id == Account.c.id)
    .outerjoin(PrivacySettingsRow, PrivacySettingsRow.c.account_id == Account.c.id)
    .where(Account.c.id == bindparam("account"))
)


class ApiKeys:
    """Creates, lists, revokes and authenticates API keys."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions

    def list(self, token: str) -> list[ApiKeyInfo]:
        """The keys of the session's account, newest first, including revoked ones."""
        with self._sessions.reading(token) as (tx, session):
            rows = tx.execute(
                select(ApiKey).where(ApiKey.c.account_id == session.account_id).order_by(ApiKey.c.id.desc())
            ).all()
        return [_info(row) for row in rows]

    def count_active(self, token: str) -> int:
        """The number of keys of the account that are not revoked."""
        with self._sessions.reading(token) as (tx, session):
            mine = (ApiKey.c.account_id == session.account_id, ApiKey.c.revoked_at.is_(None))
            return tx.execute(select(func.count()).select_from(ApiKey).where(*mine)).scalar_one()

    def create(
        self,
        token: str,
        name: str,
        *,
        expires_at: datetime | None = None,
        spend_limit_micro_usd: int | None = None,
    ) -> NewApiKey:
        """Create a key.

        Raises `InvalidLabel`, `InvalidExpiry`, `InvalidMoney`, `LimitReached`, `FreshProofRequired`.
        """
        name, now = inputs.check_label(name, field="api-key-name"), self._context.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidExpiry(field="api-key-expiry")
        if spend_limit_micro_usd is not None:
            check_spend_limit(spend_limit_micro_usd, field="api-key-limit")
        key = tokens.generate(tokens.API_KEY_PREFIX, self._context.rng)
        with self._sessions.writing(token, proof=True) as (tx, session):
            live = select(func.count()).where(ApiKey.c.account_id == session.account_id, ApiKey.c.revoked_at.is_(None))
            if tx.execute(live).scalar_one() >= MAX_API_KEYS:
                raise LimitReached(f"An account has at most {MAX_API_KEYS} API keys. Revoke one first.")
            row = tx.execute(
                insert(ApiKey)
                .values(
                    account_id=session.account_id,
                    name=name,
                    key_hash=digest(key),
                    last_four=key[-4:],
                    created_at=now,
                    expires_at=expires_at,
                    spend_limit_micro_usd=spend_limit_micro_usd,
                    spent_micro_usd=0,
                    held_micro_usd=0,
                )
                .returning(ApiKey.c.id)
            ).scalar_one()
            self._audit.record_by(tx, session, Tag.API_KEY_CREATED, name=name)
        info = ApiKeyInfo(row, name, key[-4:], now, expires_at, None, None, spend_limit_micro_usd, 0)
        return NewApiKey(key, info)

    def revoke(self, token: str, key_id: int) -> None:
        """Revoke the key. Raises `NoSuchItem`."""
        with self._sessions.writing(token) as (tx, session):
            name = tx.execute(
                update(ApiKey)
                .where(ApiKey.c.id == key_id, ApiKey.c.account_id == session.account_id, ApiKey.c.revoked_at.is_(None))
                .values(revoked_at=self._context.now())
                .returning(ApiKey.c.name)
            ).scalar()
            if name is None:
                raise NoSuchItem("That API key was revoked before.")
            self._audit.record_by(tx, session, Tag.API_KEY_REVOKED, name=name)

    def authenticate(self, key: str) -> KeyHolder:
        """The account of an API key.

        Raises `InvalidApiKey`, also for an expired or revoked key, and `AccountSuspended`.
        """
        if not tokens.is_well_formed(key, tokens.API_KEY_PREFIX):
            raise InvalidApiKey
        with self._context.database.read() as tx:
            holder = self.holder(tx, key)
        self.note_use_soon(holder)
        return holder

    def holder(self, tx: Connection, key: str) -> KeyHolder:
        """The account of an API key, inside `tx`. The use is not noted. Raises `InvalidApiKey`, `AccountSuspended`."""
        now = self._context.now()
        return self._holder(tx.execute(_HOLDER, {"hashed": digest(key), "now": now}).one_or_none(), now)

    def holder_by_id(self, tx: Connection, account_id: int, key_id: int) -> KeyHolder:
        """As `holder`, for a key of the account that is chosen without its secret."""
        now = self._context.now()
        chosen = {"key": key_id, "account": account_id, "now": now}
        return self._holder(tx.execute(_HOLDER_BY_ID, chosen).one_or_none(), now)

    def account_holder(self, tx: Connection, account_id: int, name: str) -> KeyHolder:
        """The account itself as the caller, without a key. `name` stands for the key's name in the usage log.

        Raises `InvalidApiKey`, `AccountSuspended`.
        """
        row = tx.execute(_ACCOUNT, {"account": account_id}).one_or_none()
        if row is None:
            raise InvalidApiKey
        if row.suspended_at is not None:
            raise AccountSuspended
        return KeyHolder(
            account_id=row.account_id,
            account_name=row.account_name,
            key_id=None,
            key_name=name,
            records_ip=row.record_client_ip is True,
            is_stale=False,
            free_micro_usd=row.free,
            held_micro_usd=row.held,
            free_on_key_micro_usd=None,
            held_on_key_micro_usd=0,
        )

    def _holder(self, row: Any, now: datetime) -> KeyHolder:
        if row is None:
            raise InvalidApiKey
        if row.suspended_at is not None:
            raise AccountSuspended
        return KeyHolder(
            account_id=row.account_id,
            account_name=row.account_name,
            key_id=row.id,
            key_name=row.name,
            records_ip=row.record_client_ip is True,
            is_stale=row.last_used_at is None or now - row.last_used_at >= LAST_USE_INTERVAL,
            free_micro_usd=row.free,
            held_micro_usd=row.held,
            free_on_key_micro_usd=row.free_on_key,
            held_on_key_micro_usd=row.held_on_key,
        )

    def note_use_soon(self, holder: KeyHolder) -> None:
        """As `note_use`, outside a transaction, unless another writer is at work: then a later use is stored."""
        if holder.is_stale:
            with suppress(DatabaseBusy), self._context.database.write(lock_timeout_s=0) as tx:
                self.note_use(tx, holder)

    def note_use(self, tx: Connection, holder: KeyHolder) -> None:
        """Store the time of use, at most once per `LAST_USE_INTERVAL`."""
        now = self._context.now()
        stale = or_(ApiKey.c.last_used_at.is_(None), ApiKey.c.last_used_at <= now - LAST_USE_INTERVAL)
        tx.execute(update(ApiKey).where(ApiKey.c.id == holder.key_id, stale).values(last_used_at=now))


def _info(row: Any) -> ApiKeyInfo:
    return ApiKeyInfo(
        id=row.id,
        name=row.name,
        last_four=row.last_four,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        spend_limit_micro_usd=row.spend_limit_micro_usd,
        spent_micro_usd=row.spent_micro_usd,
    )
