"""The filter line: what it takes, what it offers, and where it is wrong."""

from datetime import UTC, datetime

import pytest

from screens.modules.log_filter import FilterFault, read_filter, suggest
from store.values.usage import Kind, UsageChoices, UsageFilter

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CHOICES = UsageChoices(
    models=("claude-haiku", "claude-sonnet-4-5", "gpt-5", "gpt-5-mini"),
    keys=("build", "my notebook"),
    statuses=("503", "in_progress", "ok"),
)


def read(text: str, kind: Kind | None = None) -> UsageFilter:
    return read_filter(text, CHOICES, NOW, kind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", UsageFilter()),
        ("   ", UsageFilter()),
        ("model:gpt-5", UsageFilter(models=("gpt-5",))),
        ("model:GPT-5", UsageFilter(models=("gpt-5",))),
        ("claude", UsageFilter(models=("claude-haiku", "claude-sonnet-4-5"))),
        ("Model:mini model:haiku", UsageFilter(models=("gpt-5-mini", "claude-haiku"))),
        ("model:unheard-of", UsageFilter(models=("unheard-of",))),
        ('key:"my notebook" status:ok', UsageFilter(keys=("my notebook",), statuses=("ok",))),
        ('key:"note"', UsageFilter(keys=("my notebook",))),
        ("status:error", UsageFilter(kind=Kind.ERROR)),
        ("kind:call", UsageFilter(kind=Kind.CONSUMPTION)),
        ("kind:image ip:203.0.113.7", UsageFilter(kind=Kind.DRAWING, ip="203.0.113.7")),
        ("ip:2001:DB8::1", UsageFilter(ip="2001:db8::1")),
        ("since:7d", UsageFilter(since=datetime(2026, 11, 16, 12, tzinfo=UTC))),
        (
            "since:2026-11-01 until:2026-11-02",
            UsageFilter(since=datetime(2026, 11, 1, tzinfo=UTC), until=datetime(2026, 11, 3, tzinfo=UTC)),
        ),
        ("since:2026-11-01T13:00", UsageFilter(since=datetime(2026, 11, 1, 13, tzinfo=UTC))),
    ],
)
def test_a_filter(text: str, expected: UsageFilter) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("modell:gpt", "modell:gpt", "There is no filter modell:"),
        ("model:gpt kind:cal", "cal", "There are call, error, image, task."),
        ("ip:10.0.0", "10.0.0", "no IP address"),
        ("ok since:2x until:3x", "2x", "Enter a date"),
        ("since:7d until:8d", "8d", "ends before it begins"),
        ("since:7d since:8d", "8d", "can be given once"),
        ("model: key:build", "model:", "Say which model."),
        ('key:"my note', '"', "closing quotation mark"),
        ("kind:call status:error", "error", "of the kind error"),
    ],
)
def test_a_fault_is_said_with_its_place(text: str, place: str, why: str) -> None:
    with pytest.raises(FilterFault, match=why) as found:
        read(text)
    assert text[found.value.start : found.value.start + found.value.length] == place


def test_a_log_of_one_kind_has_no_other() -> None:
    assert read("kind:task", Kind.TASK).kind is Kind.TASK
    assert read("model:gpt-5", Kind.TASK).kind is Kind.TASK
    with pytest.raises(FilterFault, match="only the kind task"):
        read("kind:call", Kind.TASK)


def test_a_part_that_stands_for_too_much_asks_for_more() -> None:
    many = UsageChoices(models=tuple(f"model-{number}" for number in range(30)))
    with pytest.raises(FilterFault, match="30 models contain this"):
        read_filter("model:model", many, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("mo", ["model:"]),
        ("s", ["status:", "since:"]),
        ("model:cl", ["model:claude-haiku", "model:claude-sonnet-4-5"]),
        ("status:ok key:m", ['status:ok key:"my notebook"']),
        ("kind:e", ["kind:error"]),
        ("since:2", ["since:24h"]),
        ("model:gpt-5-mini", []),
        ("model:gpt-5 ", []),
        ("ip:", []),
        ("nothing:", []),
    ],
)
def test_what_is_offered(text: str, expected: list[str]) -> None:
    assert suggest(text, CHOICES) == expected
