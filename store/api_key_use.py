"""The use of API keys: who a key speaks for, what it may do, and the claim of its requests."""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, not_, or_, select, update

from store import tokens
from store.compiled_statement import CompiledStatement
from store.context import Context
from store.errors import (
    AccountSuspended,
    ApiKeyDisabled,
    DatabaseBusy,
    InvalidApiKey,
    ModelNotAllowed,
    NetworkNotAllowed,
    NotAllowed,
    RequestRateReached,
)
from store.key_limits import is_allowed_address, is_allowed_model
from store.key_periods import COUNTED, period_parameters
from store.models import Account, ApiKey, PrivacySettingsRow, Quota, UtcDateTime
from store.price_lookup import lookup_parameters, price_beside, with_price
from store.records_ip import records_ip
from store.row_locks import lock_against_deletion
from store.sessions import digest
from store.text import sanitize
from store.usage_keyset import canonical_ip
from store.values.billing import ModelPrice

if TYPE_CHECKING:
    from store.shortcut import WholeQuery

LAST_USE_INTERVAL: Final = timedelta(minutes=1)
_MINUTE: Final = timedelta(minutes=1)


class KeyHolder(NamedTuple):
    """The account of an API key, what the key may do, and the money it can use."""

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
    """The free part of the key's own limit, in its current period; None without a limit."""
    held_on_key_micro_usd: int
    is_disabled: bool = False
    allowed_models: tuple[str, ...] | None = None
    allowed_networks: tuple[str, ...] | None = None
    requests_per_minute: int | None = None
    requests_in_minute: int = 0
    """Requests of the current minute, when it was read. Only a claim counts one."""


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
        ApiKey.c.disabled_at,
        ApiKey.c.allowed_models,
        ApiKey.c.allowed_networks,
        ApiKey.c.requests_per_minute,
        ApiKey.c.minute_started_at,
        ApiKey.c.minute_requests,
        ApiKey.c.held_micro_usd.label("held_on_key"),
        (ApiKey.c.spend_limit_micro_usd - COUNTED - ApiKey.c.held_micro_usd).label("free_on_key"),
    )
    .join(Account, Account.c.id == ApiKey.c.account_id)
    .join(Quota, Quota.c.account_id == ApiKey.c.account_id)
    .outerjoin(PrivacySettingsRow, PrivacySettingsRow.c.account_id == ApiKey.c.account_id)
    .where(
        ApiKey.c.revoked_at.is_(None),
        or_(ApiKey.c.expires_at.is_(None), ApiKey.c.expires_at > bindparam("now", type_=UtcDateTime())),
    )
)
_KEY_IN_USE: Final = _USABLE_KEY.where(
    or_(
        ApiKey.c.key_hash == bindparam("hashed"),
        and_(
            ApiKey.c.previous_key_hash == bindparam("hashed"),
            ApiKey.c.previous_expires_at > bindparam("now", type_=UtcDateTime()),
        ),
    )
)
HOLDER_AND_PRICE: Final = with_price(_KEY_IN_USE)
_HOLDER: Final = CompiledStatement(_KEY_IN_USE)
_HOLDER_AND_PRICE: Final = CompiledStatement(HOLDER_AND_PRICE)
_HOLDER_BY_ID: Final = _USABLE_KEY.where(ApiKey.c.id == bindparam("key"), ApiKey.c.account_id == bindparam("account"))
_ACCOUNT: Final = (
    select(*_OF_ACCOUNT)
    .join(Quota, Quota.c.account_id == Account.c.id)
    .outerjoin(PrivacySettingsRow, PrivacySettingsRow.c.account_id == Account.c.id)
    .where(Account.c.id == bindparam("account"))
)
_IS_SAME_MINUTE: Final = and_(
    ApiKey.c.minute_started_at >= bindparam("minute", type_=UtcDateTime()),
    ApiKey.c.minute_started_at <= bindparam("latest", type_=UtcDateTime()),
)
"""A begin more than a minute ahead is stale: the clock was set back since, and the key would wait for that time."""
_COUNT_REQUEST: Final = CompiledStatement(
    update(ApiKey)
    .where(
        ApiKey.c.id == bindparam("key"),
        or_(
            ApiKey.c.requests_per_minute.is_(None),
            ApiKey.c.minute_started_at.is_(None),
            not_(_IS_SAME_MINUTE),
            ApiKey.c.minute_requests < ApiKey.c.requests_per_minute,
        ),
    )
    .values(
        # A process whose clock is up to a minute behind counts into the later minute.
        minute_started_at=case(
            (_IS_SAME_MINUTE, ApiKey.c.minute_started_at), else_=bindparam("minute", type_=UtcDateTime())
        ),
        minute_requests=case((_IS_SAME_MINUTE, ApiKey.c.minute_requests + 1), else_=1),
    )
)
_NOTE_USE: Final = (
    update(ApiKey)
    .where(
        ApiKey.c.id == bindparam("key"),
        or_(ApiKey.c.last_used_at.is_(None), ApiKey.c.last_used_at <= bindparam("noted_before", type_=UtcDateTime())),
    )
    .values(last_used_at=bindparam("now", type_=UtcDateTime()), last_used_ip=bindparam("address"))
)
"""Built once, because relayed calls run them."""


class ApiKeyUse:
    """Authenticates API keys, and claims their requests."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def authenticate(self, key: str, address: str = "") -> KeyHolder:
        """The account of an API key, used from `address`.

        A use that `check` refuses is not noted, but not refused here.

        Raises `InvalidApiKey`, also for an expired or revoked key, and `AccountSuspended`.
        """
        if not tokens.is_well_formed(key, tokens.API_KEY_PREFIX):
            raise InvalidApiKey
        with self._context.database.read() as tx:
            holder = self.holder(tx, key)
        with suppress(NotAllowed):
            self.check(holder, address)
            self.note_use_soon(holder, address)
        return holder

    def holder(self, tx: Connection, key: str) -> KeyHolder:
        """The account of an API key, inside `tx`. The use is not noted. Raises `InvalidApiKey`, `AccountSuspended`."""
        now = self._context.now()
        return _holder(_HOLDER.row(tx, holder_parameters(key, now)), now)

    def holder_and_price(self, tx: Connection, key: str, model: str) -> tuple[KeyHolder, ModelPrice | None]:
        """`holder`, and the price of `model` or None, read by one statement."""
        now = self._context.now()
        sent = {**holder_parameters(key, now), **lookup_parameters(model)}
        if self._context.database.is_postgresql:
            row = _compiled_holder_and_price().row(tx, sent)
        else:
            row = _HOLDER_AND_PRICE.row(tx, sent)
        return _holder(row, now), price_beside(row)

    def holder_by_id(self, tx: Connection, account_id: int, key_id: int) -> KeyHolder:
        """As `holder`, for a key of the account that is chosen without its secret."""
        now = self._context.now()
        chosen = {"key": key_id, "account": account_id, "now": now, **period_parameters(now)}
        return _holder(tx.execute(_HOLDER_BY_ID, chosen).one_or_none(), now)

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

    def check(self, holder: KeyHolder, address: str, model: str | None = None) -> None:
        """Refuse what the key may not do: a use from `address`, a call of `model`, a request beyond its minute.

        Raises `ApiKeyDisabled`, `NetworkNotAllowed`, `ModelNotAllowed`, `RequestRateReached`.
        """
        if holder.is_disabled:
            raise ApiKeyDisabled
        if not is_allowed_address(address, holder.allowed_networks):
            raise NetworkNotAllowed
        if model is not None and not is_allowed_model(model, holder.allowed_models):
            raise ModelNotAllowed(sanitize(model, 200))
        limit = holder.requests_per_minute
        # The claim decides. This earlier check avoids rolling back the jobs of the same transaction.
        if limit is not None and holder.requests_in_minute >= limit:
            raise self._rate_reached(limit)

    def claim_request(self, tx: Connection, holder: KeyHolder) -> None:
        """Count one request of a key that has a limit per minute. Raises `RequestRateReached` beyond it."""
        if holder.requests_per_minute is None:
            return
        minute = self._context.now().replace(second=0, microsecond=0)
        sent = {"key": holder.key_id, "minute": minute, "latest": minute + _MINUTE}
        if _COUNT_REQUEST.change(tx, sent) != 1:
            raise self._rate_reached(holder.requests_per_minute)

    def note_use_soon(self, holder: KeyHolder, address: str = "") -> None:
        """As `note_use`, outside a transaction, unless another writer is at work: then a later use is stored."""
        if holder.is_stale:
            with suppress(DatabaseBusy), self._context.database.write(lock_timeout_s=0) as tx:
                self.note_use(tx, holder, address)

    def note_use(self, tx: Connection, holder: KeyHolder, address: str = "") -> None:
        """Store the time of use, at most once per `LAST_USE_INTERVAL`, and its address if the account records them."""
        now = self._context.now()
        lock_against_deletion(tx, holder.account_id)
        wanted = records_ip(tx, holder.account_id)
        use = {
            "key": holder.key_id,
            "noted_before": now - LAST_USE_INTERVAL,
            "now": now,
            # An older address would be shown beside this time.
            "address": canonical_ip(address) if wanted else None,
        }
        tx.execute(_NOTE_USE, use)

    def _rate_reached(self, limit: int) -> RequestRateReached:
        now = self._context.now()
        return RequestRateReached(limit, _MINUTE - (now - now.replace(second=0, microsecond=0)))


@cache
def _compiled_holder_and_price() -> "WholeQuery":
    """SQLAlchemy's execution takes three times as long as the rest of this read (PostgreSQL)."""
    from store.shortcut import WholeQuery  # a console needs no shortcut

    return WholeQuery(HOLDER_AND_PRICE)


def holder_parameters(key: str, now: datetime) -> dict[str, Any]:
    """The parameters of the read of a key's holder at `now`."""
    return {"hashed": digest(key), "now": now, **period_parameters(now)}


def _holder(row: Any, now: datetime) -> KeyHolder:
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
        is_disabled=row.disabled_at is not None,
        allowed_models=None if row.allowed_models is None else tuple(row.allowed_models),
        allowed_networks=None if row.allowed_networks is None else tuple(row.allowed_networks),
        requests_per_minute=row.requests_per_minute,
        requests_in_minute=_requests_in_minute(row, now),
    )


def _requests_in_minute(row: Any, now: datetime) -> int:
    started: datetime | None = row.minute_started_at
    minute = now.replace(second=0, microsecond=0)
    if started is None or not minute <= started <= minute + _MINUTE:
        return 0
    return int(row.minute_requests)
