"""A row of words of which one is chosen, and a share as a bar."""

import pytest

from tests.unit.tui.widgets.bare_console import Stage
from tui.widgets.bar import bar
from tui.widgets.option_row import OptionRow


async def test_arrows_stop_at_the_ends_and_space_goes_round() -> None:
    row = OptionRow(("never", "daily", "weekly"), value=1)
    async with Stage(lambda: [row]).run_test() as pilot:
        row.focus()
        seen = []
        for key in ("left", "left", "right", "right", "right", "space", "space"):
            await pilot.press(key)
            seen.append(row.value)
    assert seen == [0, 0, 1, 2, 2, 0, 1]


async def test_a_click_chooses_the_word_below_it() -> None:
    row = OptionRow(("never", "daily", "weekly"))
    async with Stage(lambda: [row]).run_test() as pilot:
        for x, value in ((11, 1), (20, 2), (8, 2), (0, 0)):
            await pilot.click(row, offset=(x, 0))
            assert row.value == value


async def test_markup_in_a_word_is_text() -> None:
    row = OptionRow(("[b]bold[/b]", "x"))
    async with Stage(lambda: [row]).run_test():
        assert "[b]bold[/b]" in str(row.render())


@pytest.mark.parametrize(
    ("part", "whole", "drawn"),
    [
        (0, 10, "░░░░"),
        (1, 10, "█░░░"),
        (5, 10, "██░░"),
        (9, 10, "███░"),
        (10, 10, "████"),
        (99, 10, "████"),
        (1, 0, "░░░░"),
    ],
)
def test_a_bar_is_empty_or_full_only_if_its_share_is(part: int, whole: int, drawn: str) -> None:
    assert bar(part, whole, 4).plain == drawn
