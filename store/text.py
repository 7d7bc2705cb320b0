"""Text that came from outside, made safe for a terminal and for a database.

A terminal obeys what it is sent: control characters move the cursor, write the clipboard and change the title;
bidirectional and zero-width characters make one name look like another. Everything a person did not type on
this very screen passes through `sanitize` before it is drawn.
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
    """`text` on one line, with every character a terminal could obey replaced by U+FFFD.

    `limit` is in characters; a longer text ends in an ellipsis. The result is idempotent: `sanitize(sanitize(x)) ==
    sanitize(x)`. It says nothing of markup: hand it to a widget as `Content` or with `markup=False`.
    """
    return _shorten(_UNSAFE.sub(REPLACEMENT, _LINE_BREAKS.sub(" ", str(text))), limit)


def sanitize_lines(text: object, limit: int = 65536) -> str:
    """Like `sanitize`, but line breaks stay (tabs become a space)."""
    return _shorten(_UNSAFE.sub(REPLACEMENT, str(text).replace("\t", " ")), limit)


def counted(number: int, noun: str) -> str:
    """`number` with its noun, which takes an s unless there is one of it: "1 account", "2 accounts"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def is_sanitized(text: str) -> bool:
    """Whether `text` holds no character that `sanitize` would replace, and no tab or line break."""
    return _UNSAFE.search(text) is None and _LINE_BREAKS.search(text) is None


def normal(text: str) -> str:
    """`text` in Unicode normal form C: what looks typed the same compares the same."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """The key under which two spellings of one name meet: compatibility form, case folded (Unicode TR36).

    What no name may hold becomes U+FFFD, which no name may hold either: such a key is stored for nobody.
    """
    safe = _UNSAFE.sub(REPLACEMENT, text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", safe).casefold())


def fold_case(text: str) -> str:
    """The key under which spellings of one name meet that differ only by case (Unicode 3.13, D145)."""
    return normal(normal(text).casefold())


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
