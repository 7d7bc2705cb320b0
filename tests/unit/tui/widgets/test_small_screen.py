"""A terminal that is too small gets one line, and everything back when it grows."""

import pytest
from textual.widgets import Input

from tests.unit.tui.widgets.gallery import Form, Gallery
from tui.widgets.confirm import Confirm
from tui.widgets.small_screen import SmallScreenNote


async def test_it_says_so_and_gives_the_screen_and_the_focus_back() -> None:
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        threshold = app.screen.query_one("#threshold", Input)
        threshold.focus()
        await pilot.press("9")
        await pilot.resize_terminal(39, 24)
        await pilot.pause()
        note = app.screen.query_one(SmallScreenNote)
        assert note.region.size == app.size
        covered = app.focused
        assert covered is note
        assert str(note.render()) == "39 x 24 is too small; needs 40 x 10"
        await pilot.resize_terminal(30, 9)
        await pilot.pause()
        assert str(note.render()) == "30 x 9 is too small; needs 40 x 10"
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not app.screen.query(SmallScreenNote)
        assert app.focused is threshold
        assert threshold.value == "9"


@pytest.mark.parametrize("size", [(40, 10), (60, 20)])
async def test_a_size_that_is_enough_shows_no_note(size: tuple[int, int]) -> None:
    app = Gallery()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, Form)
        assert not app.screen.query(SmallScreenNote)


async def test_no_key_reaches_a_control_that_cannot_be_seen() -> None:
    app = Gallery()
    async with app.run_test(size=(80, 24)) as pilot:
        threshold = app.screen.query_one("#threshold", Input)
        threshold.focus()
        await pilot.resize_terminal(20, 5)
        await pilot.pause()
        await pilot.press("7", "tab", "8", "enter")
        assert threshold.value == "1.00"


async def test_the_quit_key_still_works() -> None:
    app = Gallery()
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert app._exit


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (39, 9)])
async def test_a_start_on_any_size_and_a_question_there_survive(size: tuple[int, int]) -> None:
    app = Gallery()
    answers: list[bool | None] = []
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.push_screen(Confirm("Really?", "Yes or no."), answers.append)
        await pilot.pause()
        assert app.screen.query(SmallScreenNote)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not app.screen.query(SmallScreenNote)
        assert app.focused is app.screen.query_one("#no")
        await pilot.press("y")
        await pilot.pause()
        assert answers == [True]
        assert not app.screen.query(SmallScreenNote)
