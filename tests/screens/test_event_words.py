"""Every event is told in words, and the filter line finds it by them."""

import ast
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import store
from screens.event_filter import read_filter
from screens.event_words import _DETAILS, FAILURES, WORDS, details_of, is_failure, tags_with, words_of
from store.audit_tags import Tag
from store.values.audit import Event

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def event(tag: str, **detail: object) -> Event:
    return Event(1, NOW, tag, "alice", "pts/0", detail)


def test_every_kind_that_the_store_records_has_its_own_words() -> None:
    assert set(WORDS) == set(Tag)
    assert len(set(WORDS.values())) == len(WORDS)
    for tag, sentence in WORDS.items():
        assert len(sentence) <= 32, tag
        assert ":" not in sentence
        assert sentence[0].isupper()


def test_every_particular_that_the_store_records_has_words() -> None:
    """The names are those of the keyword arguments of `record` and `record_by` in the store."""
    own = {"actor", "source"}
    recorded: set[str] = set()
    for file in Path(store.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("self._audit.record", "self._audit.record_by"):
                recorded |= {word.arg for word in node.keywords if word.arg} - own
    assert {"method", "section", "lasts"} <= recorded
    assert recorded - {"factor"} <= set(_DETAILS)


@pytest.mark.parametrize(
    ("tag", "detail", "words"),
    [
        (Tag.SIGNED_IN, {"method": "password and authenticator code"}, "by password and authenticator code"),
        (Tag.SIGN_IN_FAILED, {"factor": "password"}, "wrong password"),
        (Tag.SIGN_IN_FAILED, {"factor": "second-factor", "reason": "code used before"}, "wrong code, code used before"),
        (Tag.SIGN_IN_LOCKED, {"factor": "password", "lasts": "60 s"}, "too many wrong passwords, for 60 s"),
        (Tag.BACKUP_CODE_USED, {"left": 1}, "1 code left"),
        (Tag.OTHERS_SIGNED_OUT, {"sessions": 2}, "2 sessions"),
        (Tag.KEYS_REVOKED, {"api_keys": 1, "access_token": True}, "1 API key, and the access token"),
        (Tag.SETTINGS_SAVED, {"section": "price", "version": 4}, "price"),
        (Tag.QUOTA_CHANGED, {"remaining_micro_usd": 4_200_000}, "$4.20 left"),
        (Tag.PASSKEY_ADDED, {"label": "blue key"}, "“blue key”"),
        (Tag.SIGNED_OUT, {}, ""),
    ],
)
def test_particulars_are_words(tag: Tag, detail: Mapping[str, object], words: str) -> None:
    assert details_of(event(tag.value, **detail)) == words


def test_a_wrong_password_and_a_wrong_code_at_a_confirmation_are_told_apart() -> None:
    assert words_of(event("session:proof-failed")) == "Wrong password at a confirmation"
    assert words_of(event("session:proof-failed", factor="password")) == "Wrong password at a confirmation"
    assert words_of(event("session:proof-failed", factor="second-factor")) == "Wrong code at a confirmation"


def test_an_event_of_a_later_version_is_told_by_its_tag() -> None:
    later = event("robot:dis\x1bmissed", **{"be\u200bep": 3, "factor": "x"})
    assert words_of(later) == "robot dis\ufffdmissed"
    assert not is_failure(later)
    assert "\u200b" not in details_of(later)


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        ("failed", {"sign-in:failed", "session:proof-failed", "sign-in:locked"}, {"sign-in:succeeded"}),
        ("failed sign-in", {"sign-in:failed"}, {"session:proof-failed"}),
        ("PASSWORD", {"password:changed", "session:proof-failed"}, {"sign-in:failed"}),
        ("wrong code", {"session:proof-failed"}, {"sign-in:failed"}),
        ("key revoked", {"api-key:revoked"}, {"api-key:created"}),
    ],
)
def test_words_of_an_event_find_it(text: str, found: set[str], not_found: set[str]) -> None:
    tags = read_filter(text, NOW).tags
    assert tags is not None
    assert found <= tags
    assert not not_found & tags


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-11-23", (2026, 11, 23), (2026, 11, 24)),
        ("2026-2-3", (2026, 2, 3), (2026, 2, 4)),
        ("2026-12", (2026, 12, 1), (2027, 1, 1)),
        ("today", (2026, 11, 26), (2026, 11, 27)),
        ("Yesterday", (2026, 11, 25), (2026, 11, 26)),
        ("2026-11 2026-11-05", (2026, 11, 5), (2026, 11, 6)),
    ],
)
def test_a_date_is_a_span(text: str, since: tuple[int, int, int], until: tuple[int, int, int]) -> None:
    only = read_filter(text, NOW)
    assert (only.since, only.until) == (datetime(*since, tzinfo=UTC), datetime(*until, tzinfo=UTC))
    assert (only.tags, only.sources) == (None, ())


def test_a_day_begins_at_midnight_where_the_person_is() -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    only = read_filter("2026-11-23", berlin)
    assert (only.since, only.until) == (
        datetime(2026, 11, 22, 23, tzinfo=UTC),
        datetime(2026, 11, 23, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize("word", ["2026-13-01", "2026-02-30", "0000-01-01", "9999-12", "192.0.2.7"])
def test_what_is_no_date_and_in_no_sentence_is_sought_in_the_source(word: str) -> None:
    assert read_filter(word, NOW).sources == (word,)
    assert tags_with(word) == frozenset()


def test_every_failure_is_known() -> None:
    assert set(WORDS) >= FAILURES
