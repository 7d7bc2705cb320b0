"""The meter says a score in a word, not in a colour alone."""

import pytest

from tests.unit.tui.widgets.bare_console import Stage
from tui.widgets.strength import StrengthMeter

pytestmark = pytest.mark.anyio


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
        (None, ""),
    ],
)
async def test_every_score_has_its_word(score: int | None, row: str) -> None:
    app = Stage(lambda: [StrengthMeter()])
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(StrengthMeter).score = score
        await pilot.pause()
        assert app.lines()[0] == row


async def test_the_hint_stands_beside_it_and_is_never_markup() -> None:
    app = Stage(lambda: [StrengthMeter()])
    async with app.run_test(size=(80, 24)) as pilot:
        meter = app.query_one(StrengthMeter)
        meter.score, meter.hint = 1, "Add [b]another[/b] word."
        await pilot.pause()
        assert app.lines()[0].endswith("weak  Add [b]another[/b] word.")


async def test_it_stays_on_one_row_when_the_hint_is_long() -> None:
    app = Stage(lambda: [StrengthMeter()])
    async with app.run_test(size=(40, 10)) as pilot:
        meter = app.query_one(StrengthMeter)
        meter.score, meter.hint = 1, "word " * 40
        await pilot.pause()
        assert meter.region.height == 1
        assert app.lines()[1] == ""
