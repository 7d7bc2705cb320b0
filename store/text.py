"""Sanitizing and normalization of text.

A terminal interprets control characters: they move the cursor, write the clipboard and change the title.
Bidirectional and zero-width characters make one name look like another. All text that was not typed on the current
screen passes through `sanitize` before it is drawn.
"""

import re
import unicodedata
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

_UNSAFE: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # invisible letters and joiners
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero-width, separators, bidirectional controls
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"  # fillers, variation selectors, annotations
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3"  # joiners of hieroglyphs and shorthand
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # musical controls, tags
    "\ud800-\udfff"  # lone surrogates cannot be encoded
    "]"
)
_LINE_BREAKS: Final = re.compile(r"[\t\n]+")


def sanitize(text: object, limit: int = 4096) -> str:
    """`text` on one line, with every control, bidirectional and invisible character replaced by U+FFFD.

    `limit` is in characters; a longer text is cut and ends in an ellipsis. The function is idempotent. Markup is not
    escaped: pass the result to a widget as `Content` or with `markup=False`.
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else _shorten(text, limit)
    return _shorten(_UNSAFE.sub(REPLACEMENT, _LINE_BREAKS.sub(" ", text)), limit)


def sanitize_lines(text: object, limit: int = 65536) -> str:
    """Like `sanitize`, but line breaks are kept. A tab becomes a space."""
    return _shorten(_UNSAFE.sub(REPLACEMENT, str(text).replace("\t", " ")), limit)


def pluralize(number: int, noun: str) -> str:
    """`number` and `noun`, in the plural unless `number` is 1: "1 account", "2 accounts"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def cell_width(text: str) -> int:
    """The cells that `text` takes in a terminal (Unicode Standard Annex 11).

    A wide character takes two, and one that joins the character before it takes none.
    """
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def pad(text: str, width: int) -> str:
    """`text` with blanks up to `width` cells."""
    return text + " " * (width - cell_width(text))


def is_sanitized(text: str) -> bool:
    """True if `text` has no character that `sanitize` would replace, and no tab or line break."""
    return _UNSAFE.search(text) is None and _LINE_BREAKS.search(text) is None


def normalize(text: str) -> str:
    """`text` in Unicode normalization form C, so that equal text from two keyboards compares equal."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """The comparison key of a name: compatibility form, case folded (Unicode TR36).

    Characters that no name may contain become U+FFFD, so that such text matches no stored key.
    """
    safe = _UNSAFE.sub(REPLACEMENT, text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", safe).casefold())


def fold_case(text: str) -> str:
    """The comparison key of a name whose spellings differ only by case (Unicode 3.13, D145)."""
    return normalize(normalize(text).casefold())


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
