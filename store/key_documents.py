"""An API key as a JSON document, for the command line and the HTTP API."""

from datetime import datetime
from typing import Any

from store.money import type_usd
from store.values.api_keys import ApiKeyInfo
from store.values.capabilities import UNKNOWN_TIME


def key_document(key: ApiKeyInfo, now: datetime) -> dict[str, Any]:
    """Everything about a key but its secret: money as decimal strings, times in ISO 8601 with a zone."""
    limits, limit = key.limits, key.limits.spend_limit_micro_usd
    return {
        "id": key.id,
        "name": key.name,
        "last_four": key.last_four,
        "state": key.state(now).value,
        "created_at": _iso(key.created_at),
        "expires_at": _iso(limits.expires_at),
        "spend_limit_usd": None if limit is None else type_usd(limit),
        "limit_period": limits.limit_period.value,
        "spent_usd": type_usd(key.spent_micro_usd),
        "total_spent_usd": type_usd(key.total_spent_micro_usd),
        "allowed_models": None if limits.allowed_models is None else list(limits.allowed_models),
        "allowed_networks": None if limits.allowed_networks is None else list(limits.allowed_networks),
        "requests_per_minute": limits.requests_per_minute,
        "last_used_at": _iso(key.last_used_at),
        "last_used_ip": key.last_used_ip,
        "disabled_at": _iso(key.disabled_at),
        "revoked_at": _iso(key.revoked_at),
        "rotated_at": _iso(key.rotated_at),
        "previous_expires_at": _iso(key.previous_expires_at),
    }


def _iso(at: datetime | None) -> str | None:
    """The time; None also for one that a server does not tell."""
    return None if at is None or at == UNKNOWN_TIME else at.isoformat()
