"""Every way from one pen to another arrives, and says no more than it must."""

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.pty_screen import Cell, Screen
from tui.sgr import pen_on_blank, transition

FLAGS = st.lists(st.sampled_from("123479"), unique=True).map(sorted)
"""Without blink (5), because the screen of these tests keeps dim in its place."""
COLOURS = st.sampled_from(["", "31", "97", "38;5;200", "38;2;1;2;3", "39"])
GROUNDS = st.sampled_from(["", "41", "107", "48;5;200", "48;2;1;2;3", "49"])
PENS = st.builds(lambda flags, ink, ground: ";".join(filter(None, [*flags, ink, ground])), FLAGS, COLOURS, GROUNDS)


def drawn(text: str, *pens: str) -> Cell:
    """The cell a terminal shows of a text's one character."""
    screen = Screen(4, 1)
    pyte.Stream(screen).feed("".join(pens) + text)
    return Cell.of(screen.buffer[0][0])


def pen_down(pen: str) -> str:
    return f"\x1b[{pen}m" if pen else ""


@given(PENS, PENS)
def test_a_transition_arrives_at_the_pen_wanted(old: str, new: str) -> None:
    assert drawn("x", pen_down(old), transition(old, new)) == drawn("x", pen_down(new))


@given(PENS)
def test_a_blank_looks_the_same_with_the_simpler_pen(pen: str) -> None:
    full, simple = drawn(" ", pen_down(pen)), drawn(" ", pen_down(pen_on_blank(pen)))
    assert simple.background == full.background
    assert (simple.underline, simple.strike, simple.reverse) == (full.underline, full.strike, full.reverse)
    if full.underline or full.strike or full.reverse:
        assert simple == full


@pytest.mark.parametrize(
    ("pen", "simple"),
    [
        ("1;38;2;9;9;9;48;2;1;2;3", "48;2;1;2;3"),
        ("2;3;31", ""),
        ("4;31;44", "4;31;44"),
        ("7;31", "7;31"),
        ("31\x1bid=1;https://x.example", "31\x1bid=1;https://x.example"),
        ("58;5;1", "58;5;1"),
        ("", ""),
    ],
)
def test_a_blank_keeps_what_it_shows(pen: str, simple: str) -> None:
    assert pen_on_blank(pen) == simple


def test_a_transition_names_only_what_changes() -> None:
    assert transition("1;38;2;9;9;9;48;2;1;2;3", "1;38;2;9;9;9;48;2;4;5;6") == "\x1b[48;2;4;5;6m"
    assert transition("31;48;5;1", "31") == "\x1b[49m"
    assert transition("", "1;31") == "\x1b[1;31m"
    assert transition("31", "1;31") == "\x1b[1m"
    assert transition("1;31", "31") == "\x1b[22m"
    assert transition("1;31;48;2;1;2;3", "2;31;48;2;1;2;3") == "\x1b[22;2m"
    assert transition("4;31", "7;31") == "\x1b[24;7m"
    assert transition("8;31", "31") == "\x1b[0;31m", "an unknown terminal may not show it again by another word"
    assert transition("1;31", "") == "\x1b[0m"
    assert transition("31", "31\x1bid=1;https://x.example") == "\x1b]8;id=1;https://x.example\x1b\\"
    assert transition("31\x1bid=1;https://x.example", "") == "\x1b[0m\x1b]8;;\x1b\\"
    assert transition("58;5;1", "31") == "\x1b[0;31m", "an unknown parameter is reset, not guessed"
