"""The acts on API keys, each inside the transaction of its actor: a session, an administrator, or a bearer token.

An act that lowers a safeguard needs a proof of identity. The account's row is locked (`store.row_locks`), so two acts
on one account follow each other, and each reads what the one before it wrote.
"""

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from store import inputs, tokens
from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.db_enums import db_enum
from store.errors import (
    AlreadyEnabled,
    FreshProofRequired,
    GatekeyError,
    LimitReached,
    NoSuchItem,
    NotEnabled,
    StaleEdit,
)
from store.key_limits import check_overlap, checked_limits, loosened
from store.key_periods import period_start
from store.models import ApiKey
from store.sessions import digest
from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, LimitPeriod, NewApiKey

MAX_API_KEYS: Final = 50
MAX_REVOKED_LISTED: Final = 200
_NAMES: Final = {
    "expires_at": "expiry",
    "spend_limit_micro_usd": "spend limit",
    "limit_period": "reset of the spend limit",
    "allowed_models": "models",
    "allowed_networks": "addresses",
    "requests_per_minute": "requests per minute",
}
"""The words of each limit in the audit log."""


class KeyActor(NamedTuple):
    """The actor on the keys of an account, as the audit log names it."""

    account_id: int
    name: str
    source: str
    is_proved: bool
    """True with a fresh proof of identity, and for an administrator, who needs none."""


class ApiKeyActs:
    """Lists, creates and changes the keys of an account."""

    def __init__(self, context: Context, audit: Audit) -> None:
        self._context = context
        self._audit = audit

    def list(self, tx: Connection, account_id: int, *, with_revoked: bool = True) -> list[ApiKeyInfo]:
        """The keys of an account, newest first, with the newest `MAX_REVOKED_LISTED` revoked ones."""
        mine = select(ApiKey).where(ApiKey.c.account_id == account_id).order_by(ApiKey.c.id.desc())
        rows = list(tx.execute(mine.where(ApiKey.c.revoked_at.is_(None))))
        if with_revoked:
            rows += tx.execute(mine.where(ApiKey.c.revoked_at.is_not(None)).limit(MAX_REVOKED_LISTED))
        return [self._info(row) for row in sorted(rows, key=lambda row: -row.id)]

    def read(self, tx: Connection, account_id: int, key_id: int) -> ApiKeyInfo:
        """One key of an account, revoked or not. Raises `NoSuchItem`."""
        row = tx.execute(select(ApiKey).where(ApiKey.c.id == key_id, ApiKey.c.account_id == account_id)).one_or_none()
        if row is None:
            raise NoSuchItem("There is no such API key.")
        return self._info(row)

    def create(self, tx: Connection, actor: KeyActor, name: str, limits: ApiKeyLimits) -> NewApiKey:
        """Create a key.

        Raises `InvalidLabel` and the errors of `checked_limits`, each with its `field`, `FreshProofRequired`, and
        `LimitReached`.
        """
        name, now = _checked_name(name), self._context.now()
        limits = checked_limits(limits, now)
        _require_proof(actor, "create an API key")
        live = select(func.count()).where(ApiKey.c.account_id == actor.account_id, ApiKey.c.revoked_at.is_(None))
        if tx.execute(live).scalar_one() >= MAX_API_KEYS:
            raise LimitReached(f"An account has at most {MAX_API_KEYS} API keys. Revoke one first.")
        key = tokens.generate(tokens.API_KEY_PREFIX, self._context.rng)
        values = {
            "account_id": actor.account_id,
            "name": name,
            "key_hash": digest(key),
            "last_four": key[-4:],
            "created_at": now,
            "spent_micro_usd": 0,
            "held_micro_usd": 0,
            **_columns(limits),
        }
        row = tx.execute(insert(ApiKey).values(values).returning(*ApiKey.c)).one()
        self._audit.record_by(tx, actor, Tag.API_KEY_CREATED, name=name)
        return NewApiKey(key, self._info(row))

    def edit(
        self,
        tx: Connection,
        actor: KeyActor,
        key_id: int,
        name: str,
        limits: ApiKeyLimits,
        *,
        expected: ApiKeyInfo | None = None,
    ) -> ApiKeyInfo:
        """Give a key another name and other limits; they hold from the next request on.

        Raises what `create` raises, `NoSuchItem` for a revoked key, and `StaleEdit` if the name or the limits are not
        those of `expected` any more.
        """
        before = self._live(tx, actor, key_id)
        name = _checked_name(name)
        limits = checked_limits(limits, self._context.now(), before=before.limits)
        if expected is not None and (before.name, before.limits) != (expected.name, expected.limits):
            raise StaleEdit(f"The key {before.name} was changed somewhere else since you opened it. Nothing was saved.")
        changed = [words for field, words in _NAMES.items() if getattr(before.limits, field) != getattr(limits, field)]
        if name != before.name:
            changed.insert(0, "name")
        if not changed:
            return before
        if act := loosened(before.limits, limits):
            _require_proof(actor, act)
        after = self._change(tx, actor, key_id, {"name": name, **_columns(limits)})
        self._audit.record_by(tx, actor, Tag.API_KEY_CHANGED, name=name, changed=", ".join(changed))
        return after

    def rotate(self, tx: Connection, actor: KeyActor, key_id: int, *, overlap_minutes: int = 0) -> NewApiKey:
        """Give a key a new secret. The old one is accepted for `overlap_minutes` more, one from before that not at all.

        Raises `InvalidNumber`, `FreshProofRequired`, and `NoSuchItem` for a revoked key.
        """
        overlap, now = check_overlap(overlap_minutes), self._context.now()
        before = self._live(tx, actor, key_id)
        _require_proof(actor, "rotate an API key")
        key = tokens.generate(tokens.API_KEY_PREFIX, self._context.rng)
        values = {
            "previous_key_hash": ApiKey.c.key_hash if overlap else None,
            "previous_expires_at": now + overlap if overlap else None,
            "key_hash": digest(key),
            "last_four": key[-4:],
            "rotated_at": now,
        }
        after = self._change(tx, actor, key_id, values)
        detail = {"overlap_minutes": overlap_minutes} if overlap else {}
        self._audit.record_by(tx, actor, Tag.API_KEY_ROTATED, name=before.name, **detail)
        return NewApiKey(key, after)

    def disable(self, tx: Connection, actor: KeyActor, key_id: int) -> ApiKeyInfo:
        """Refuse the key until it is enabled again. Raises `NoSuchItem`, `NotEnabled` if it is disabled already."""
        after = self._switch(tx, actor, key_id, on=False, refusal=NotEnabled("This key is disabled already."))
        self._audit.record_by(tx, actor, Tag.API_KEY_DISABLED, name=after.name)
        return after

    def enable(self, tx: Connection, actor: KeyActor, key_id: int) -> ApiKeyInfo:
        """Accept the key again. Raises `NoSuchItem`, `AlreadyEnabled`, `FreshProofRequired`."""
        _require_proof(actor, "enable an API key")
        after = self._switch(tx, actor, key_id, on=True, refusal=AlreadyEnabled("This key is enabled already."))
        self._audit.record_by(tx, actor, Tag.API_KEY_ENABLED, name=after.name)
        return after

    def revoke(self, tx: Connection, actor: KeyActor, key_id: int) -> None:
        """Refuse the key for ever. Raises `NoSuchItem`."""
        after = self._change(tx, actor, key_id, {"revoked_at": self._context.now()})
        self._audit.record_by(tx, actor, Tag.API_KEY_REVOKED, name=after.name)

    def _switch(self, tx: Connection, actor: KeyActor, key_id: int, *, on: bool, refusal: GatekeyError) -> ApiKeyInfo:
        is_disabled = ApiKey.c.disabled_at.is_not(None)
        claim = is_disabled if on else ~is_disabled
        values = {"disabled_at": None if on else self._context.now()}
        row = tx.execute(
            update(ApiKey).where(*_live_key(actor, key_id), claim).values(values).returning(*ApiKey.c)
        ).one_or_none()
        if row is None:
            self._live(tx, actor, key_id)
            raise refusal
        return self._info(row)

    def _change(self, tx: Connection, actor: KeyActor, key_id: int, values: dict[str, Any]) -> ApiKeyInfo:
        changed = update(ApiKey).where(*_live_key(actor, key_id)).values(values).returning(*ApiKey.c)
        row = tx.execute(changed).one_or_none()
        if row is None:
            raise NoSuchItem("That API key was revoked before.")
        return self._info(row)

    def _live(self, tx: Connection, actor: KeyActor, key_id: int) -> ApiKeyInfo:
        row = tx.execute(select(ApiKey).where(*_live_key(actor, key_id))).one_or_none()
        if row is None:
            raise NoSuchItem("That API key was revoked before.")
        return self._info(row)

    def _info(self, row: Any) -> ApiKeyInfo:
        now = self._context.now()
        limits = _limits(row)
        spent, start = row.spent_micro_usd, period_start(limits.limit_period, now)
        if start is not None:
            is_current = row.period_started_at is not None and row.period_started_at >= start
            spent = row.period_spent_micro_usd if is_current else 0
        previous = row.previous_expires_at
        return ApiKeyInfo(
            id=row.id,
            name=row.name,
            last_four=row.last_four,
            created_at=row.created_at,
            limits=limits,
            revoked_at=row.revoked_at,
            disabled_at=row.disabled_at,
            last_used_at=row.last_used_at,
            last_used_ip=row.last_used_ip,
            rotated_at=row.rotated_at,
            previous_expires_at=previous if previous is not None and previous > now else None,
            spent_micro_usd=spent,
            total_spent_micro_usd=row.spent_micro_usd,
        )


def _checked_name(name: str) -> str:
    return inputs.check_label(name, field="api-key-name")


def _require_proof(actor: KeyActor, act: str) -> None:
    if not actor.is_proved:
        raise FreshProofRequired(f"Confirm your identity to {act}.")


def _live_key(actor: KeyActor, key_id: int) -> tuple[Any, ...]:
    return ApiKey.c.id == key_id, ApiKey.c.account_id == actor.account_id, ApiKey.c.revoked_at.is_(None)


def _columns(limits: ApiKeyLimits) -> dict[str, Any]:
    return {
        "expires_at": limits.expires_at,
        "spend_limit_micro_usd": limits.spend_limit_micro_usd,
        "limit_period": limits.limit_period.value,
        "allowed_models": None if limits.allowed_models is None else list(limits.allowed_models),
        "allowed_networks": None if limits.allowed_networks is None else list(limits.allowed_networks),
        "requests_per_minute": limits.requests_per_minute,
    }


def _limits(row: Any) -> ApiKeyLimits:
    return ApiKeyLimits(
        expires_at=row.expires_at,
        spend_limit_micro_usd=row.spend_limit_micro_usd,
        limit_period=db_enum(LimitPeriod, row.limit_period),
        allowed_models=None if row.allowed_models is None else tuple(row.allowed_models),
        allowed_networks=None if row.allowed_networks is None else tuple(row.allowed_networks),
        requests_per_minute=row.requests_per_minute,
    )
