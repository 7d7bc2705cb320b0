"""The row of buttons: one line where it fits, as many as it needs where it does not."""

from tests.unit.tui.widgets.bare_console import Stage
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions


def row(*labels: str) -> Stage:
    return Stage(lambda: [Actions(*(ActionButton(label) for label in labels)), ActionButton("Below")])


async def test_what_fits_stays_on_one_line() -> None:
    app = row("Back", "Next")
    async with app.run_test(size=(20, 10)):
        assert app.lines()[:3] == ["", " Back    Next", " Below"]


async def test_what_does_not_fit_goes_on_below() -> None:
    app = row("Back", "Next", "A longer one", "Last")
    async with app.run_test(size=(20, 10)):
        assert app.lines()[:5] == ["", " Back    Next", " A longer one", " Last", " Below"]


async def test_a_new_size_gives_it_new_lines() -> None:
    app = row("Back", "Next", "Last")
    async with app.run_test(size=(20, 10)) as pilot:
        assert app.lines()[2:4] == [" Last", " Below"]
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert app.lines()[:3] == ["", " Back    Next    Last", " Below"]


async def test_a_button_wider_than_the_line_shortens_its_label() -> None:
    app = Stage(lambda: [Actions(ActionButton("Back"), ActionButton("Rather a long label", shortcut="enter"))])
    async with app.run_test(size=(20, 10)):
        assert app.lines()[1:3] == [" Back", " Rather a lo… enter"]


async def test_what_is_hidden_takes_no_room() -> None:
    app = row("Back", "Hidden away", "Next")
    async with app.run_test(size=(20, 10)) as pilot:
        list(app.query(ActionButton))[1].display = False
        await pilot.pause()
        assert app.lines()[:3] == ["", " Back    Next", " Below"]


async def test_a_button_of_the_second_line_can_be_clicked() -> None:
    app = row("Back", "Next", "Last")
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.click(offset=(3, 2))
        assert any(isinstance(message, ActionButton.Pressed) for message in app.messages)
