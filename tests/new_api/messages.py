"""Placeholders for the server's sentences: a code, the language it would answer in, and characters of both scripts.

The server's own words are not here. A client that tells failures apart by them would be wrong on the first update.
"""

import re
from typing import Final

MARK: Final = re.compile(r"⟨(zh|en)⟩")


def sentence(code: str, language: str) -> str:
    """The placeholder of one sentence of the server; `code` names it among ours."""
    return f"訊息 {code} ⟨{language}⟩"


def language_of(text: str) -> str | None:
    """The language of a placeholder, None for any other text."""
    found = MARK.search(text)
    return found[1] if found else None


def preferred(saved: str, accepted: str) -> str:
    """zh or en: the account's saved language, else the first of Accept-Language, else English."""
    for wish in (saved, accepted):
        if wish.lower().startswith("zh"):
            return "zh"
        if wish.lower().startswith("en"):
            return "en"
    return "en"
