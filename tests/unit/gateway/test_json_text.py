"""The members at the start of a document that is cut off."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.json_text import leading_members

VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5), st.sampled_from([None, 1]))
def test_a_whole_object_had_all_of_its_members(document: dict[str, Any], indent: int | None) -> None:
    assert leading_members(json.dumps(document, indent=indent)) == document


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=5), st.integers(0, 100))
def test_a_half_object_had_only_members_of_the_whole(document: dict[str, str], length: int) -> None:
    half = leading_members(json.dumps(document)[:length])
    assert list(half.items()) == list(document.items())[: len(half)]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", {}),
        ("[1]", {}),
        ('"id"', {}),
        ('{"id": "a", "x": [', {"id": "a"}),
        ('{"id": "a", "x": tru, "y": 1}', {"id": "a"}),
        ('{"x": {"id": "inner"}, "id": "a"', {"x": {"id": "inner"}, "id": "a"}),
        ('{"id": "a", "x": ' + "[" * 100_000, {"id": "a"}),
        ('{"id": "a", "x": ' + "9" * 100_000, {"id": "a"}),
        (r'{"i\u0064": "a"}', {"id": "a"}),
        (r'{"\x": 1, "id": "a"}', {}),
    ],
)
def test_the_members_ended_at_the_first_that_was_none(text: str, members: dict[str, Any]) -> None:
    assert leading_members(text) == members
