"""A choice between two values: one row where both fit, and each in full where they do not."""

import pytest

from tests.unit.tui.widgets.bare_console import Stage
from tui.widgets.choice_row import ChoiceRow


async def test_both_values_stand_side_by_side_and_space_switches() -> None:
    row = ChoiceRow(("mine", "$9.00"), ("saved", "$3.00"))
    app = Stage(lambda: [row])
    async with app.run_test(size=(60, 10)) as pilot:
        assert app.lines()[0].split() == ["(•)", "mine", "$9.00", "(", ")", "saved", "$3.00"]
        row.focus()
        await pilot.press("space")
        assert row.chosen == 1
        assert app.lines()[0].split() == ["(", ")", "mine", "$9.00", "(•)", "saved", "$3.00"]
        await pilot.press("left")
        assert row.chosen == 0
        await pilot.press("right")
        assert row.chosen == 1


async def test_long_values_stand_below_each_other_in_full() -> None:
    row = ChoiceRow(("mine", "a" * 70), ("saved", "b" * 70), chosen=1)
    app = Stage(lambda: [row])
    async with app.run_test(size=(40, 12)):
        seen = "".join(app.shown().split())
        assert "(•)saved" in seen
        assert "a" * 70 in seen
        assert "b" * 70 in seen


@pytest.mark.parametrize(("offset", "chosen"), [((2, 0), 0), ((45, 0), 1)])
async def test_a_click_chooses_the_value_below_it(offset: tuple[int, int], chosen: int) -> None:
    row = ChoiceRow(("mine", "on"), ("saved", "off"), chosen=1 - chosen)
    app = Stage(lambda: [row])
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.click(offset=offset)
        assert row.chosen == chosen


async def test_a_value_is_never_markup() -> None:
    app = Stage(lambda: [ChoiceRow(("mine", "[b]bold[/b]"), ("saved", "x"))])
    async with app.run_test(size=(80, 10)):
        assert "[b]bold[/b]" in app.shown()
