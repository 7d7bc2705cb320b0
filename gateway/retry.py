"""The retry schedule of notifications."""

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
"""Each wait is varied by up to this share, so that retries after an outage do not coincide."""

MAX_RETRY_AFTER: Final = timedelta(hours=24)
"""Upper bound for a wait that a receiver requests."""


def next_attempt(
    attempts_made: int, now: datetime, retry_after: timedelta | None, rng: random.Random
) -> datetime | None:
    """The time of the next try after `attempts_made` failed ones; None when the message is given up.

    Before the first attempt the result is `now`. The receiver's `retry_after`, capped at `MAX_RETRY_AFTER`, is a lower
    bound.

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
    """The wait in a Retry-After header, 0 to `MAX_RETRY_AFTER`; None if it is invalid (RFC 9110, 10.2.3).

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
    # The obsolete asctime format has no zone, and is in GMT (RFC 9110, 5.6.7).
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
