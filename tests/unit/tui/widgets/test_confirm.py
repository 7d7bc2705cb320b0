"""Questions: the safe answer has the focus, and the confirming key is not the one that asked."""

import pytest

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.confirm import Choice, Confirm, Decision


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["y"], True),
        (["n"], False),
        (["escape"], False),
        (["enter"], False),
        (["tab", "enter"], True),
        (["x", "space", "d"], None),
    ],
)
async def test_only_y_or_the_button_confirms(keys: list[str], answer: bool | None) -> None:
    app = Stage()
    answers: list[bool | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Confirm("Delete account", "For good.", "Delete", dangerous=True), answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        assert answers == ([] if answer is None else [answer])


@pytest.mark.parametrize(
    ("keys", "decision"),
    [
        (["escape"], Decision.STAY),
        (["enter"], Decision.STAY),
        (["s"], Decision.SAVE),
        (["d"], Decision.DISCARD),
        (["tab", "enter"], Decision.DISCARD),
        (["tab", "tab", "enter"], Decision.SAVE),
        (["y", "q"], None),
    ],
)
async def test_staying_is_the_default_with_unsaved_edits(keys: list[str], decision: Decision | None) -> None:
    app = Stage()
    decisions: list[Decision | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Choice(), decisions.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        assert decisions == ([] if decision is None else [decision])


async def test_title_and_body_are_shown_as_they_are() -> None:
    async with running(Stage()) as (app, pilot):
        app.push_screen(Confirm("Unbind [red]evil[/]", "key [@click=app.quit]gpt[/]\nand \x1b]52;c;AA\x07"))
        await pilot.pause()
        assert "Unbind [red]evil[/]" in app.shown()
        assert "key [@click=app.quit]gpt[/]" in app.shown()
        assert "\x1b" not in app.shown()


async def test_a_long_question_still_shows_its_buttons_on_a_small_terminal() -> None:
    app = Stage()
    async with app.run_test(size=(40, 10)) as pilot:
        app.push_screen(Confirm("Delete account", "All of this goes.\n" * 40, "Delete"))
        await pilot.pause()
        await pilot.wait_for_scheduled_animations()
        assert " Cancel esc " in app.shown()
