"""Text from outside: nothing a terminal could obey is left, and nothing else is changed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.text import REPLACEMENT, cell_width, fold, is_sanitized, normalize, pad, pluralize, sanitize, sanitize_lines

HOSTILE = {
    "C0": [chr(code) for code in range(0x20) if chr(code) not in "\t\n"],
    "DEL and C1": [chr(code) for code in range(0x7F, 0xA0)],
    "bidi": list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
    "zero-width": list("\u00ad\u034f\u180e\u200b\u200c\u200d\u2060\u2061\u2064\ufeff"),
    "separators": list("\u2028\u2029"),
    "fillers": list("\u115f\u1160\u3164\uffa0\u17b4\u17b5"),
    "variation selectors": list("\ufe00\ufe0f\U000e0100\U000e01ef"),
    "tags": [chr(code) for code in (0xE0000, 0xE0001, 0xE0041, 0xE007F)],
    "annotations": list("\ufff9\ufffa\ufffb"),
    "surrogates": list("\ud800\udbff\udc00\udfff"),
    "musical controls": list("\U0001d173\U0001d17a"),
}
EVERYTHING = st.text(alphabet=st.characters(), max_size=200)
"""Surrogates included: an argument of the command line may hold them."""

SEQUENCES = [
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]52;c;Zm9v\x07",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\x1bP+q\x1b\\",
    "\rover",
    "back\b\b\b\b",
]


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_terminal_obeys_is_replaced(kind: str) -> None:
    for character in HOSTILE[kind]:
        assert sanitize(f"a{character}b") == sanitize_lines(f"a{character}b") == f"a{REPLACEMENT}b"
        assert not is_sanitized(f"a{character}b")


VISIBLE_FORMAT = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Signs that enclose the number behind them: of category Cf, and seen all the same."""


def test_every_control_and_format_character_is_replaced() -> None:
    """The Unicode categories Cc and Cf hold every character that acts instead of showing."""
    kept = "\t\n" + VISIBLE_FORMAT
    left = [
        f"U+{code:04X}"
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in ("Cc", "Cf") and chr(code) not in kept and is_sanitized(chr(code))
    ]
    print(f"control and format characters left: {len(left)}")
    assert left == []


@pytest.mark.parametrize("sequence", SEQUENCES, ids=ascii)
def test_no_sequence_survives(sequence: str) -> None:
    cleaned = sanitize(sequence)
    assert not any(unicodedata.category(character).startswith("C") for character in cleaned)


@pytest.mark.parametrize(
    "text", ["", "plain", "Grüße", "日本語", "العربية", "🔑 key", "[@click=app.quit]text[/]", "a b", "e\u0301"]
)
def test_what_people_write_stays(text: str) -> None:
    assert sanitize(text) == sanitize_lines(text) == text
    assert is_sanitized(text)


def test_one_line_stays_one_line() -> None:
    assert sanitize("two\nlines\tand\n\n\ttabs") == "two lines and tabs"
    assert sanitize_lines("two\nlines\tand") == "two\nlines and"
    assert not is_sanitized("two\nlines")
    assert not is_sanitized("a\tb")
    assert sanitize_lines("a\r\nb") == f"a{REPLACEMENT}\nb"


def test_long_text_ends_in_an_ellipsis() -> None:
    assert sanitize("x" * 10, 10) == "x" * 10
    assert sanitize("x" * 11, 10) == "x" * 9 + "…"
    assert len(sanitize("x" * 5000)) == 4096
    assert len(sanitize_lines("x" * 70_000)) == 65_536


def test_anything_becomes_text() -> None:
    assert [sanitize(value) for value in (None, 5, ["a\x1b"])] == ["None", "5", r"['a\x1b']"]


@given(EVERYTHING, st.integers(1, 50))
def test_plain_is_idempotent_and_safe(text: str, limit: int) -> None:
    once = sanitize(text, limit)
    assert sanitize(once, limit) == once
    assert is_sanitized(once)
    assert len(once) <= limit
    once.encode()


@given(EVERYTHING)
def test_plain_lines_is_idempotent_and_safe(text: str) -> None:
    once = sanitize_lines(text)
    assert sanitize_lines(once) == once
    assert all(is_sanitized(line) for line in once.split("\n"))
    once.encode()


@given(EVERYTHING)
def test_plain_changes_nothing_that_is_plain(text: str) -> None:
    assert (sanitize(text) == text) == is_sanitized(text)


@given(EVERYTHING)
def test_a_key_is_the_same_for_every_spelling(text: str) -> None:
    assert fold(normalize(text)) == fold(text)
    assert fold(text.upper().lower()) == fold(text.upper())
    fold(text).encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "aLICE"),
        ("Straße", "STRASSE"),
        ("ﬁne", "fine"),
        ("ａｌｉｃｅ", "alice"),
        ("café", "cafe\u0301"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_two_spellings_of_one_name_meet(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_normal_form_joins_what_looks_the_same() -> None:
    assert normalize("cafe\u0301") == "caf\u00e9"


@pytest.mark.parametrize(("number", "said"), [(0, "0 chains"), (1, "1 chain"), (2, "2 chains")])
def test_one_is_not_said_in_the_plural(number: int, said: str) -> None:
    assert pluralize(number, "chain") == said


@pytest.mark.parametrize(
    ("text", "cells"),
    [("", 0), ("laptop", 6), ("日本語", 6), ("ｱｲｳ", 3), ("\uff21", 2), ("e\u0301", 1), ("é", 1), ("🔑", 2)],
)
def test_the_width_of_a_text_is_that_of_its_cells(text: str, cells: int) -> None:
    assert cell_width(text) == cells
    assert pad(text, 10) == text + " " * (10 - cells)
