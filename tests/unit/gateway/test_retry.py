"""When a failed delivery is tried again."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.retry import JITTER_SHARE, MAX_RETRY_AFTER, RETRY_DELAYS, next_attempt, parse_retry_after

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


class Steady(random.Random):
    """No jitter at all, or a fixed share of it."""

    def __init__(self, share: float = 0.5) -> None:
        super().__init__(0)
        self.share = share

    def random(self) -> float:
        return self.share


def test_the_schedule_was_that_of_standard_webhooks() -> None:
    waits = [next_attempt(made, NOW, None, Steady()) for made in range(11)]
    hours = timedelta(hours=1)
    assert waits[:10] == [
        NOW + wait
        for wait in (
            timedelta(0),
            timedelta(seconds=5),
            timedelta(minutes=5),
            timedelta(minutes=30),
            2 * hours,
            5 * hours,
            10 * hours,
            14 * hours,
            20 * hours,
            24 * hours,
        )
    ]
    assert waits[10] is None
    assert timedelta(hours=75) < sum(RETRY_DELAYS, timedelta(0)) < timedelta(hours=76)


def test_it_stayed_given_up() -> None:
    assert next_attempt(11, NOW, timedelta(hours=1), Steady()) is None
    assert next_attempt(10**9, NOW, None, Steady()) is None


def test_a_negative_count_was_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="-1 attempts"):
        next_attempt(-1, NOW, None, Steady())


@given(st.integers(1, 9), st.integers())
def test_the_wait_jittered_around_the_schedule(made: int, seed: int) -> None:
    when = next_attempt(made, NOW, None, random.Random(seed))
    assert when is not None
    assert RETRY_DELAYS[made] * (1 - JITTER_SHARE) <= when - NOW <= RETRY_DELAYS[made] * (1 + JITTER_SHARE)


def test_a_thousand_failures_of_one_moment_did_not_come_back_in_one_moment() -> None:
    rng = random.Random(1)
    assert len({next_attempt(2, NOW, None, rng) for _ in range(1000)}) > 990


@given(st.integers(0, 9), st.timedeltas(timedelta(0), timedelta(days=30)), st.integers())
def test_it_was_never_tried_earlier_than_asked(made: int, asked: timedelta, seed: int) -> None:
    when = next_attempt(made, NOW, asked, random.Random(seed))
    assert when is not None
    assert when - NOW >= min(asked, MAX_RETRY_AFTER)
    assert when - NOW <= MAX_RETRY_AFTER * (1 + JITTER_SHARE)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(seconds=120)),
        (" 7 ", timedelta(seconds=7)),
        ("007", timedelta(seconds=7)),
        ("86401", MAX_RETRY_AFTER),
        ("9" * 5000, MAX_RETRY_AFTER),
        ("Sun, 29 Mar 2026 00:31:30 GMT", timedelta(seconds=90)),
        ("Sunday, 29-Mar-26 00:31:30 GMT", timedelta(seconds=90)),
        ("Sun Mar 29 00:31:30 2026", timedelta(seconds=90)),
        ("Sun, 29 Mar 2026 02:31:30 +0200", timedelta(seconds=90)),
        ("Sun, 29 Mar 2026 00:31:30 -0000", timedelta(seconds=90)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("soon", None),
        ("Sun, 99 Mar 2026 00:31:30 GMT", None),
        ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", None),
    ],
)
def test_retry_after_was_read_as_seconds_or_as_a_date(value: str, wait: timedelta | None) -> None:
    assert parse_retry_after(value, NOW) == wait


_WORDS = st.sampled_from(
    ["Sun,", "06", "Nov", "2026", "08:49:37", "GMT", "+9999", "-0000", "99999999999", ":", ",", "\x00", "é"]
)


@given(st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=8).map(" ".join)))
def test_any_header_was_a_wait_within_bounds_or_nothing(value: str) -> None:
    wait = parse_retry_after(value, NOW)
    assert wait is None or timedelta(0) <= wait <= MAX_RETRY_AFTER
