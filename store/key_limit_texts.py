"""The limits of API keys as text: what a person types into a form or a command, and how a limit is shown there."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from store import inputs
from store.errors import InvalidExpiry, InvalidNumber
from store.key_limits import MAX_OVERLAP_MINUTES, MAX_REQUESTS_PER_MINUTE, check_models, check_networks
from store.money import check_spend_limit, parse_usd, type_usd
from store.text import sanitize
from store.values.api_keys import ApiKeyLimits

MAX_DAYS: Final = 3650
_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::00)?)?(?:Z|\+00:00| UTC)?")
_DAYS: Final = re.compile(r"([0-9]{1,9})(?: ?d(?:ays?)?)?")
_OVERLAP: Final = re.compile(r"([0-9]{1,6}) ?(m|min|minutes?|h|hours?|d|days?)?")
_UNIT_MINUTES: Final = {"m": 1, "h": 60, "d": 24 * 60}


def parse_expiry(text: str, now: datetime, *, field: str = "api-key-expiry") -> datetime | None:
    """The expiry in `text`: a number of days from now, or a date or a time in UTC. Empty: never.

    Raises `InvalidNumber` and `InvalidExpiry`.
    """
    text = text.strip()
    if not text:
        return None
    days, date = _DAYS.fullmatch(text), _DATE.fullmatch(text)
    if days is not None and 1 <= int(days[1]) <= MAX_DAYS:
        return now + timedelta(days=int(days[1]))
    if date is None:
        raise InvalidNumber(f"Enter 1 to {MAX_DAYS} days, or a date such as 2027-01-31.", field=field)
    try:
        at = datetime.fromisoformat(f"{date[1]}T{date[2] or '00:00'}").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidExpiry(f"There is no such date: {sanitize(text, 40)}.", field=field) from error
    if at <= now:
        raise InvalidExpiry(field=field)
    return at


def parse_spend_limit(text: str, *, field: str = "api-key-limit") -> int | None:
    """The limit in micro-USD; empty: none. Raises `InvalidMoney`."""
    return check_spend_limit(parse_usd(text, field=field), field=field) if text.strip() else None


def parse_models(text: str) -> tuple[str, ...] | None:
    """Names of models, parted by commas; empty: every model. Raises `InvalidModel`."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    return check_models(names) if names else None


def parse_networks(text: str) -> tuple[str, ...] | None:
    """Networks, parted by commas or spaces; empty: every address. Raises `InvalidNetwork`."""
    networks = text.replace(",", " ").split()
    return check_networks(networks) if networks else None


def parse_rate(text: str, *, field: str = "api-key-rate") -> int | None:
    """Requests per minute; empty: no limit. Raises `InvalidNumber`."""
    return inputs.check_whole(text, 1, MAX_REQUESTS_PER_MINUTE, field=field) if text.strip() else None


def parse_overlap(text: str, *, field: str = "api-key-overlap") -> int:
    """Minutes in `text`, such as `30`, `30m`, `12h` or `7d`; empty: 0. Raises `InvalidNumber`."""
    text = text.strip().lower()
    match = _OVERLAP.fullmatch(text) if text else None
    minutes = int(match[1]) * _UNIT_MINUTES[(match[2] or "m")[0]] if match else 0
    if (text and match is None) or minutes > MAX_OVERLAP_MINUTES:
        raise InvalidNumber("Enter minutes, or a time such as 12h or 7d; at most 7 days.", field=field)
    return minutes


def limit_texts(limits: ApiKeyLimits) -> dict[str, str]:
    """Each limit as its field shows it, by the field's id; `parse_...` reads it again."""
    rate, limit = limits.requests_per_minute, limits.spend_limit_micro_usd
    return {
        "api-key-expiry": "" if limits.expires_at is None else f"{limits.expires_at:%Y-%m-%d %H:%M}",
        "api-key-limit": "" if limit is None else type_usd(limit),
        "api-key-models": ", ".join(limits.allowed_models or ()),
        "api-key-networks": ", ".join(limits.allowed_networks or ()),
        "api-key-rate": "" if rate is None else str(rate),
    }
