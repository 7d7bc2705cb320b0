"""Names of keys in keys.toml: their syntax, and whether terminals send them."""

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
"""Keys for which a terminal sends the control character of another key (ECMA-48)."""


class NotAKeyError(ValueError):
    """A text is no key, or a key that no terminal sends. The message says which."""


def one_key(written: str) -> str:
    """The name that Textual gives to the key that `written` means. Raises `NotAKeyError`."""
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
    # Textual sorts modifiers.
    named = "+".join([*sorted(set(modifiers)), key])
    if not _arrives(sorted(set(modifiers)), key, named):
        hint = f"; a capital letter is written {key.upper()!r}" if modifiers == ["shift"] and len(key) == 1 else ""
        raise NotAKeyError(f"{written!r} never arrives from most terminals{hint}")
    return named


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'tab.save'?` if a name in `known` is similar to `word`, else ""."""
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def key_names() -> set[str]:
    """The names of the keys that are not characters, and of some that are."""
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
    """True if a terminal without extensions sends the key: as its own sequence, or as Esc and another key."""
    if modifiers == ["alt"]:
        return True
    if modifiers == ["alt", "ctrl"]:
        return f"ctrl+{key}" in _keys_with_sequences()
    return named in _keys_with_sequences()


def _keys_with_sequences() -> frozenset[str]:
    from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

    keys = (key for sequence in ANSI_SEQUENCES_KEYS.values() if isinstance(sequence, tuple) for key in sequence)
    return frozenset(str(getattr(key, "value", key)) for key in keys)
