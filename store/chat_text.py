"""The text in the documents of a chat answer, as the OpenAI protocol has them."""

from typing import Any

from store.values.playground import AnswerText


class ChatText:
    """Reads the text of one answer, document after document.

    A model server may split a character over two documents (UTF-16 surrogates): its first half is kept for the next.
    """

    def __init__(self) -> None:
        self._half_character = ""

    def pieces(self, document: dict[str, Any]) -> list[AnswerText]:
        """The text in an event of a stream, or in a whole answer."""
        found = []
        for part in _texts(document):
            text = part.text
            if not part.is_reasoning:
                text = self._half_character + text
                is_half = "\ud800" <= text[-1] <= "\udbff"
                text, self._half_character = (text[:-1], text[-1]) if is_half else (text, "")
            if text:
                found.append(AnswerText(_whole_characters(text), part.is_reasoning))
        return found


def _whole_characters(text: str) -> str:
    """`text` with the halves of characters joined, and U+FFFD for a half alone: files and clipboards take no half."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _texts(document: dict[str, Any]) -> list[AnswerText]:
    choices = document.get("choices")
    texts = []
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("delta") or choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(message, dict):
            continue
        for name in ("reasoning_content", "reasoning", "content", "refusal"):
            text = message.get(name)
            if isinstance(text, str) and text:
                texts.append(AnswerText(text, is_reasoning=name.startswith("reasoning")))
    return texts
