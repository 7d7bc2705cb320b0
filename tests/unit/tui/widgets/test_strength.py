"""The strength says a score in a word, not in a colour alone, below the field of the password."""

import pytest
from textual.widgets import Input

from tests.unit.tui.widgets.bare_console import Stage
from tui.widgets.field import Field
from tui.widgets.strength import strength_line


@pytest.mark.parametrize(
    ("score", "row"),
    [
        (0, "━─────────── very weak"),
        (1, "━━━━──────── weak"),
        (2, "━━━━━━━───── fair"),
        (3, "━━━━━━━━━━── good"),
        (4, "━━━━━━━━━━━━ strong"),
        (9, "━━━━━━━━━━━━ strong"),
        (-1, "━─────────── very weak"),
    ],
)
def test_every_score_has_its_word(score: int, row: str) -> None:
    assert strength_line(score).plain == row


def test_the_hint_stands_beside_it_and_is_never_markup() -> None:
    assert strength_line(1, "Add [b]another[/b] word.").plain.endswith("weak  Add [b]another[/b] word.")


async def test_it_stays_on_one_row_when_the_hint_is_long() -> None:
    field = Field("New", Input(compact=True), reserve_error=True)
    app = Stage(lambda: [field])
    async with app.run_test(size=(80, 10)) as pilot:
        height = field.region.height
        field.note = strength_line(1, "word " * 40)
        await pilot.pause()
        assert field.region.height == height == 2
        assert app.lines()[1].strip("▌ ").startswith("━━━━──────── weak  word")
        assert app.lines()[1].endswith("…")
