"""Moments as a person types them: `2026-11-23`, `2026-11-23T13:00`, `13:00`, `24h`, `7d`, `today`, `yesterday`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

MOMENTS: Final = "a date (2026-11-23), a time (13:00, 2026-11-23T13:00), 24h, 7d or today"
_AGO: Final = re.compile(r"([0-9]{1,5})(min|h|d|w)")
_UNITS: Final = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DATE: Final = r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
_TIME: Final = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
_MOMENT: Final = re.compile(rf"(?:{_DATE})?(?:[T ]?{_TIME}(Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?")


class NotAMomentError(ValueError):
    """A text is no moment. The message says so, and names what is."""


def read_moment(text: str, now: datetime, *, is_end: bool = False) -> datetime:
    """The moment of `text` in UTC; times of day are in the zone of `now`.

    A day is its first moment; with `is_end`, the first moment after it. Raises `NotAMomentError`.
    """
    word = text.strip().casefold()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if (day := {"today": 0, "yesterday": -1}.get(word)) is not None:
            return _utc(_later_days(today, day + is_end))
        if word == "now":
            return _utc(now)
        if match := _AGO.fullmatch(word):
            return _utc(now) - int(match[1]) * _UNITS[match[2]]
        match = _MOMENT.fullmatch(word.upper())
        if match is None or not word:
            raise NotAMomentError(f"Enter {MOMENTS}.")
        day_of = today
        if match[1]:
            day_of = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=now.tzinfo)
        if match[4] is None:
            return _utc(_later_days(day_of, int(is_end)))
        moment = day_of.replace(hour=int(match[4]), minute=int(match[5]), second=int(match[6] or 0))
        if match[7]:
            moment = datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S}{match[7].replace('Z', '+00:00')}")
        return _utc(moment)
    except NotAMomentError:
        raise
    except (ValueError, OverflowError) as error:
        raise NotAMomentError(f"There is no such time. Enter {MOMENTS}.") from error


def _later_days(day: datetime, days: int) -> datetime:
    """Midnight `days` later by the clock of the zone, also where a day has 23 or 25 hours."""
    return (day.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=day.tzinfo)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
