"""One message, made safe once for every channel."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels import webhook
from gateway.channels.message import Message
from store.text import is_sanitized

AT = datetime(2026, 3, 1, tzinfo=UTC)


def message(**changes: Any) -> Message:
    parts: dict[str, Any] = {
        "id": "evt_1",
        "kind": "quota.low",
        "title": "Title",
        "text": "Text",
        "at": AT,
        "facts": {},
    }
    return Message(**(parts | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "a.b"},
        {"id": "a" * 65},
        {"id": "a\r\nBcc: b@example.com"},
        {"id": "ä"},
        {"kind": ""},
        {"kind": "quota low"},
        {"kind": "quota..low"},
        {"at": datetime(2026, 3, 1)},  # noqa: DTZ001 (that it names no zone is the point)
        {"facts": {"title": "x"}},
        {"facts": {"text": "x"}},
        {"facts": {"Remaining": "x"}},
        {"facts": {f"fact_{number}": "x" for number in range(13)}},
    ],
)
def test_a_message_of_another_form_could_not_be_made(changes: Mapping[str, object]) -> None:
    with pytest.raises(ValueError, match="message"):
        message(**changes)


@given(st.text(), st.text(), st.text())
def test_no_text_kept_a_character_that_something_obeys(title: str, text: str, fact: str) -> None:
    made = message(title=title, text=text, facts={"model": fact})
    assert is_sanitized(made.title)
    assert is_sanitized(made.text.replace("\n", ""))
    assert is_sanitized(made.facts["model"])


def test_the_facts_could_not_be_changed_afterwards() -> None:
    facts = {"model": "m"}
    made = message(facts=facts)
    facts["model"] = "other"
    assert made.facts == {"model": "m"}


@pytest.mark.parametrize("character", ["\N{GRINNING FACE}", '"', "\\", "\x00", "\n", "\x7f"])
def test_the_largest_message_was_below_twenty_kilobytes(character: str) -> None:
    made = message(
        id="i" * 64,
        kind=".".join(["k" * 32] * 4),
        title=character * 10_000,
        text=character * 100_000,
        facts={f"fact_{number:02}".ljust(32, "x"): character * 1_000 for number in range(12)},
    )
    assert 2_000 <= len(webhook.body_of(made)) < 20_000
