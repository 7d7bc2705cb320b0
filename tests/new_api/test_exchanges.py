"""The stand-in answers every recorded exchange as the real build did."""

import re

import pytest

from tests.new_api.exchanges import COUNTS, HERE, NOT_REPLAYED, recorded
from tests.new_api.generations import Generation
from tests.new_api.likeness import differences
from tests.new_api.replay import Replay
from tests.new_api.running import running

BOTH = pytest.mark.parametrize("generation", list(Generation), ids=lambda generation: generation.value)


@BOTH
def test_every_exchange_is_answered_as_it_was_recorded(generation: Generation) -> None:
    wrong, sent = [], 0
    with running(generation, is_set_up=False, takes_any_request=True) as standin:
        replay = Replay(standin)
        for exchange in recorded(generation):
            if (generation, exchange["n"]) in NOT_REPLAYED:
                continue
            lines = replay.compare(exchange)
            wrong += [f"{exchange['n']} ({exchange['section']}, {exchange['title']}) {line}" for line in lines]
            sent += 1
        replay.close()
    assert wrong == []
    left_out = [key for key in NOT_REPLAYED if key[0] is generation]
    assert sent + len(left_out) == COUNTS[generation]


@BOTH
def test_no_exchange_is_left_out_and_what_is_not_replayed_is_no_request_of_a_client(generation: Generation) -> None:
    exchanges = recorded(generation)
    assert [exchange["n"] for exchange in exchanges] == list(range(1, COUNTS[generation] + 1))
    sent = {(generation, exchange["n"]) for exchange in exchanges if "sent" in exchange}
    assert sent == {key for key in NOT_REPLAYED if key[0] is generation}


@BOTH
def test_the_exchanges_hold_no_sentence_and_no_token(generation: Generation) -> None:
    text = (HERE / f"{generation.value}.jsonl").read_text("utf-8")
    assert not re.search("[\u4e00-\u9fff]", text)
    assert "eyJ" not in text
    for exchange in recorded(generation):
        answer = exchange.get("answer")
        if isinstance(answer, dict) and "message" in answer:
            assert answer["message"] in ("", "success", "error", "ok") or isinstance(answer["message"], dict)


def test_a_difference_is_seen() -> None:
    """The comparison itself: another value, type, language, length, and a field too few or too many."""
    wanted = {"a": 1, "b": {"$any": "int"}, "c": {"$sentence": "zh"}, "d": [1], "e": "⟦x⟧ and", "f": "⟦x⟧"}
    same = {"a": 1, "b": 5, "c": "訊息 x ⟨zh⟩", "d": [1], "e": "v and", "f": "v"}
    assert differences(wanted, same, {"x": "v"}) == []
    for change in ({"a": 2}, {"a": True}, {"b": "5"}, {"c": "x ⟨en⟩"}, {"d": [1, 2]}, {"e": "w and"}, {"f": "w"}):
        assert len(differences(wanted, same | change, {"x": "v"})) == 1
    assert differences(wanted, same | {"g": 1}, {"x": "v"}) == [".g: too much"]
    assert differences({"a": 1}, {}, {}) == [".a: missing"]
