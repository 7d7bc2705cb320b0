"""Members of a server's objects, by the type that is expected."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from remote.fields import Fields, parse_json, parse_object
from store.errors import AnswerUnreadable

ODD = Fields(
    {
        "text": "a\x1b[31mb",
        "flag": True,
        "number": Decimal("0.5"),
        "whole": 7,
        "huge": Decimal("1e999999"),
        "time": 1795657447,
        "never": 0,
        "far": 10**15,
        "list": [{"a": 1}, 7, "x\x00"],
        "json": '{"a":{"b":1}}',
        "nothing": None,
    }
)


def test_a_member_of_another_type_has_its_default() -> None:
    for name in ("flag", "whole", "nothing", "missing", "list"):
        assert ODD.text(name) == ODD.raw_text(name) == ""
    for name in ("text", "whole", "nothing", "missing"):
        assert not ODD.flag(name)
        assert ODD.flag(name, default=True)
    for name in ("text", "flag", "nothing", "missing", "huge"):
        assert ODD.number(name) is None
        assert ODD.whole(name, 3) == 3
    for name in ("never", "far", "text", "missing"):
        assert ODD.time(name) is None
    assert dict(ODD.object("list").members) == {}
    assert ODD.items("json") == ()
    assert ODD.texts("whole") == ()


def test_a_member_of_its_type_is_read() -> None:
    assert ODD.text("text") == "a\N{REPLACEMENT CHARACTER}[31mb"
    assert ODD.raw_text("text") == "a\x1b[31mb"
    assert (ODD.number("number"), ODD.whole("whole"), ODD.whole("number")) == (Decimal("0.5"), 7, 0)
    assert ODD.time("time") == datetime(2026, 11, 26, 1, 44, 7, tzinfo=UTC)
    assert [one.whole("a") for one in ODD.items("list")] == [1]
    assert ODD.texts("list") == ("x\N{REPLACEMENT CHARACTER}",)
    assert ODD.json_object("json").object("a").whole("b") == 1
    assert "text" in ODD
    assert "missing" not in ODD


@pytest.mark.parametrize("text", ["", "{", "NaN", "Infinity", "[" * 100_000, "1" * 5000, b"\xff"])
def test_what_is_no_json_is_told_as_such(text: str | bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        parse_json(text)
    if isinstance(text, str):
        assert dict(parse_object(text).members) == {}


def test_fractions_are_exact() -> None:
    assert parse_json('{"a":0.1}') == {"a": Decimal("0.1")}
