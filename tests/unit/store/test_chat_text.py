"""The text of a chat answer: of streams and whole answers, with characters that come in halves."""

from typing import Any

import pytest

from store.chat_text import ChatText
from store.values.playground import AnswerText


def delta(**facts: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": facts}]}


def test_text_and_reasoning_are_told_apart() -> None:
    found = ChatText().pieces(delta(content="Hello", reasoning_content="hm"))
    assert found == [AnswerText("hm", is_reasoning=True), AnswerText("Hello")]
    assert ChatText().pieces({"choices": [{"message": {"content": "whole"}}]}) == [AnswerText("whole")]


def test_the_halves_of_a_character_are_joined_and_a_half_alone_is_replaced() -> None:
    text = ChatText()
    assert text.pieces(delta(content="a\ud83d")) == [AnswerText("a")]
    assert text.pieces(delta(content="\ude00!")) == [AnswerText("\U0001f600!")]
    assert text.pieces(delta(content="\ude00")) == [AnswerText("\ufffd")]


@pytest.mark.parametrize(
    "document",
    [{}, {"choices": None}, {"choices": [None, {}, {"delta": "text"}]}, delta(content=None), delta(content="")],
)
def test_what_holds_no_text_has_none(document: dict[str, Any]) -> None:
    assert ChatText().pieces(document) == []
