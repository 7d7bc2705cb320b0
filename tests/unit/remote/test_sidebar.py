"""The sidebar of the server and the modules of the console."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.sidebar import PLACES, hidden_modules, with_hidden
from store.modules import MODULES

NEW = (
    '{"chat":{"chat":true,"enabled":true,"playground":true},"console":{"detail":true,"enabled":true,"log":true,'
    '"midjourney":true,"task":true,"token":true},"personal":{"enabled":true,"personal":true,"topup":true}}'
)


def test_every_module_has_a_place() -> None:
    assert tuple(PLACES) == MODULES


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("", set()),
        (NEW, set()),
        ("this is not JSON", set()),
        ('{"chat":{"enabled":false}}', {"playground"}),
        ('{"personal":{"topup":false}}', {"wallet"}),
        ('{"console":{"enabled":false,"log":true}}', set(MODULES) - {"playground", "wallet", "settings"}),
        ('{"console":"odd","chat":{"playground":"no"}}', set()),
    ],
)
def test_a_missing_switch_is_on(text: str, hidden: set[str]) -> None:
    assert hidden_modules(text) == hidden


def test_a_module_of_a_hidden_section_is_shown_alone() -> None:
    text = with_hidden('{"chat":{"enabled":false}}', frozenset())
    assert json.loads(text)["chat"] == {"enabled": True, "playground": True, "chat": False}


def test_what_the_console_does_not_have_stays() -> None:
    before: dict[str, dict[str, object]] = {
        "admin": {"enabled": True, "channel": False},
        "chat": {"enabled": True, "chat": False, "x": 1.5},
    }
    after = json.loads(with_hidden(json.dumps(before), frozenset({"wallet"})))
    assert after["admin"] == before["admin"]
    assert after["chat"] == before["chat"]


SWITCHES = st.dictionaries(
    st.sampled_from(["chat", "console", "personal", "admin"]),
    st.dictionaries(
        st.sampled_from(["enabled", "playground", "chat", "detail", "token", "log", "topup", "personal", "x"]),
        st.one_of(st.booleans(), st.none(), st.integers()),
    )
    | st.none(),
)


@given(SWITCHES, st.frozensets(st.sampled_from(MODULES)))
def test_exactly_what_was_chosen_is_hidden(before: dict[str, object], hidden: frozenset[str]) -> None:
    text = json.dumps(before)
    after = with_hidden(text, hidden)
    assert hidden_modules(after) == hidden
    assert with_hidden(after, hidden) == after
    for name in before.keys() - {"chat", "console", "personal"}:
        assert json.loads(after)[name] == before[name]
