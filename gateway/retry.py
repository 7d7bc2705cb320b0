"""When a notification that was not delivered is tried again, and when it is given up."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

RETRY_DELAYS: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before each attempt, 75 hours in all (Standard Webhooks, "Deliverability and reliability")."""

JITTER_SHARE: Final = 0.1
"""Each wait is stretched or shortened by up to this share, so that an outage does not end in a stampede."""

MAX_RETRY_AFTER: Final = timedelta(hours=24)
"""A receiver may ask for less haste, but for no more than this."""


def next_attempt(
    attempts_made: int, now: datetime, retry_after: timedelta | None, rng: random.Random
) -> datetime | None:
    """When to try next after `attempts_made` failed attempts, or None when it is time to give up.

    Before the first attempt the answer is `now`. What the receiver asked for (`retry_after`, capped at
    `MAX_RETRY_AFTER`) is a floor: it is never tried earlier.

    Raises:
        ValueError: if `attempts_made` is negative.
    """
    if attempts_made < 0:
        raise ValueError(f"{attempts_made} attempts cannot have been made")
    if attempts_made >= len(RETRY_DELAYS):
        return None
    wait = RETRY_DELAYS[attempts_made] * (1 + rng.uniform(-JITTER_SHARE, JITTER_SHARE))
    if retry_after is not None:
        wait = max(wait, min(retry_after, MAX_RETRY_AFTER) * (1 + rng.uniform(0, JITTER_SHARE)))
    return now + wait


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    """The wait in a Retry-After header, 0 to `MAX_RETRY_AFTER`; None if it makes no sense (RFC 9110, 10.2.3).

    `value` is a number of seconds or an HTTP date. `now` is aware.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = text.lstrip("0") or "0"
        return MAX_RETRY_AFTER if len(seconds) > 6 else min(timedelta(seconds=int(seconds)), MAX_RETRY_AFTER)
    date = _http_date(text)
    return None if date is None else min(max(date - now, timedelta(0)), MAX_RETRY_AFTER)


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # The obsolete asctime form names no zone, and means GMT (RFC 9110, 5.6.7).
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
