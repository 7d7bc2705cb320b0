"""Plain characters stand for lines and marks where the terminal has none, and the width of the text stays."""

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from tests.unit.tui.widgets.bare_console import Stage
from tui.glyphs import PlainGlyphs, has_box_characters
from tui.terminal import ASCII, UTF_8
from tui.widgets.state import State


@pytest.mark.parametrize(
    ("shown", "plain"),
    [
        ("╭─ Password ──╮", "+- Password --+"),
        ("│ ● on │", "| * on |"),
        ("○ off  ▲ attention  ✗ failed", "o off  ! attention  x failed"),
        ("━━━━────", "====----"),
        ("▌ Settings › Security", "> Settings > Security"),
        ("Loading…", "Loading."),
        ("Zoë 東京", "Zo? ????"),
    ],
)
def test_ascii_has_a_character_for_each_line_and_mark(shown: str, plain: str) -> None:
    assert PlainGlyphs(ASCII).plain(shown) == plain
    assert cell_len(plain) == cell_len(shown)


def test_letters_of_the_character_set_stay() -> None:
    assert PlainGlyphs("iso8859-1").plain("Zoë · ─ € 東") == "Zoë · - ? ??"
    assert PlainGlyphs("koi8-r").plain("Привет ─│┌") == "Привет ─│┌"


def test_every_mark_of_a_state_stays_different() -> None:
    marks = [PlainGlyphs(ASCII).plain(state.mark) for state in State if state is not State.NEUTRAL]
    assert sorted(marks) == ["!", "*", "o", "x"]


def test_styles_and_control_segments_stay() -> None:
    segments = [Segment("abc"), Segment("─")]
    assert [segment.text for segment in PlainGlyphs(ASCII).apply(segments, Color(0, 0, 0))] == ["abc", "-"]


def test_an_ordinary_console_has_box_characters() -> None:
    assert UTF_8 == "utf-8"
    assert has_box_characters(Stage())
