"""Moments as a person types them, in the zone of the person."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tui.moments import NotAMomentError, read_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 25, 14, 30, 15, tzinfo=BERLIN)
"""A day of 25 hours: the clocks go back at 3:00."""


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("2026-11-23", "2026-11-22T23:00", "2026-11-23T23:00"),
        ("today", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("Yesterday", "2026-10-23T22:00", "2026-10-24T22:00"),
        ("now", "2026-10-25T13:30:15", "2026-10-25T13:30:15"),
        ("13:00", "2026-10-25T12:00", "2026-10-25T12:00"),
        ("2026-11-23T13:00", "2026-11-23T12:00", "2026-11-23T12:00"),
        ("2026-11-23 13:00:05", "2026-11-23T12:00:05", "2026-11-23T12:00:05"),
        ("2026-11-23T13:00Z", "2026-11-23T13:00", "2026-11-23T13:00"),
        ("2026-11-23t13:00:00+05:30", "2026-11-23T07:30", "2026-11-23T07:30"),
        ("24h", "2026-10-24T13:30:15", "2026-10-24T13:30:15"),
        ("90min", "2026-10-25T12:00:15", "2026-10-25T12:00:15"),
    ],
)
def test_a_moment(text: str, first: str, end: str) -> None:
    assert read_moment(text, NOW) == datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert read_moment(text, NOW, is_end=True) == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_seven_days_ago_is_by_the_clock_that_runs() -> None:
    now = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert read_moment("7d", now) == datetime(2026, 11, 16, 14, 30, tzinfo=UTC)
    assert read_moment("2w", now) == datetime(2026, 11, 9, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "2x",
        "tomorrow",
        "2026-13-01",
        "2026-02-30",
        "25:00",
        "13:60",
        "999999w",
        "0001-01-01",
        "-7d",
        "7 d",
        "T",
    ],
)
def test_no_moment(text: str) -> None:
    with pytest.raises(NotAMomentError, match=r"2026-11-23"):
        read_moment(text, NOW)
