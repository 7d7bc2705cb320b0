"""What a person may write for a key in keys.toml, and whether a terminal ever sends it."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_MODIFIED: Final = re.compile(r"(?P<modifiers>(?:(?:ctrl|shift|alt|super|hyper|meta)\+)*)(?P<key>\S|\w+)")
_SAME_BYTES: Final = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+h": "backspace",
    "ctrl+[": "escape",
    "ctrl+left_square_bracket": "escape",
}
"""Keys for which a terminal sends what it sends for another key (ECMA-48: they are the same control characters)."""


class NotAKeyError(ValueError):
    """What was written is no key, or one that never arrives; the text says so."""


def one_key(written: str) -> str:
    """The key as Textual names it when it arrives. Raises `NotAKeyError`."""
    match = _MODIFIED.fullmatch(written)
    if match is None or not _is_named(match["key"]):
        raise NotAKeyError(f"{written!r} is not a key{did_you_mean(written.lower(), key_names())}")
    modifiers, key = match["modifiers"].split("+")[:-1], match["key"]
    if not modifiers:
        return written
    if written in _SAME_BYTES:
        raise NotAKeyError(f"{written!r} never arrives: for a terminal it is {_SAME_BYTES[written]!r}")
    if len(key) == 1 and key.isupper():
        raise NotAKeyError(f"{written!r} never arrives{did_you_mean(written.lower(), [written.lower()])}")
    # In this order they arrive, whatever the order in which they are pressed.
    named = "+".join([*sorted(set(modifiers)), key])
    if not _arrives(sorted(set(modifiers)), key, named):
        hint = f"; a capital letter is written {key.upper()!r}" if modifiers == ["shift"] and len(key) == 1 else ""
        raise NotAKeyError(f"{written!r} never arrives from most terminals{hint}")
    return named


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'tab.save'?` if one of `known` is spelt much alike, else nothing."""
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def key_names() -> set[str]:
    """The names of the keys that are no characters, and of some that are."""
    from textual.keys import KEY_NAME_REPLACEMENTS, Keys

    named = {key.value for key in Keys if not key.value.startswith("<")}
    return named | set(KEY_NAME_REPLACEMENTS.values())


def _is_named(key: str) -> bool:
    if len(key) == 1 or key in key_names():
        return True
    try:
        return bool(unicodedata.lookup(key.replace("_", " ")))
    except KeyError:
        return False


def _arrives(modifiers: list[str], key: str, named: str) -> bool:
    """Whether a terminal without extensions sends it: as a sequence of its own, or as Esc and another key."""
    if modifiers == ["alt"]:
        return True
    if modifiers == ["alt", "ctrl"]:
        return f"ctrl+{key}" in _sent()
    return named in _sent()


def _sent() -> frozenset[str]:
    from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

    keys = (key for sequence in ANSI_SEQUENCES_KEYS.values() if isinstance(sequence, tuple) for key in sequence)
    return frozenset(str(getattr(key, "value", key)) for key in keys)
