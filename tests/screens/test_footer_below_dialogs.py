"""The footer below a dialog shows the dialog's keys, as bright as before, and a click on it presses them."""

import pytest
from textual.color import Color

from screens.help import Help
from screens.settings.change_password import ChangePassword
from tests.harness.consoles import Stage, console


def colour_of(stage: Stage, row: int, word: str) -> Color:
    """The colour of the text at the first place of `word` in a row of the screen."""
    at = 0
    line = stage.text().split("\n")[row].index(word)
    for segment in stage.app.screen._compositor.render_strips()[row]:
        at += len(segment.text)
        if at > line:
            assert segment.style is not None
            assert segment.style.color is not None
            return Color.from_rich_color(segment.style.color)
    raise AssertionError(word)


@pytest.mark.parametrize("keys", [("p",), ("p", "f1"), ("ctrl+p",)])
async def test_the_footer_is_not_dimmed_with_the_page(keys: tuple[str, ...], stage: Stage) -> None:
    bright, title = colour_of(stage, 23, "Quit"), colour_of(stage, 0, "gatekey")
    await stage.press(*keys)
    assert colour_of(stage, 23, "Quit") == bright
    assert colour_of(stage, 0, "gatekey") != title


async def test_a_click_on_the_footer_below_a_dialog_presses_its_key() -> None:
    async with console(press="p") as stage:
        assert isinstance(stage.app.screen, ChangePassword)
        row = stage.text().split("\n")[23]
        assert "esc Cancel" in row
        await stage.pilot.click(offset=(row.index("f1 Help") + 1, 23))
        await stage.settle()
        assert isinstance(stage.app.screen, Help)
        await stage.press("escape")
        await stage.pilot.click(offset=(row.index("esc Cancel") + 1, 23))
        await stage.settle()
        assert not isinstance(stage.app.screen, ChangePassword)
