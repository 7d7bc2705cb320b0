"""A secret is readable only while somebody asked for it and is looking."""

import asyncio

import pytest
from textual.events import AppBlur, AppFocus
from textual.widgets import Button

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.confirm import Confirm
from tui.widgets.secret_view import MASK, SecretView

SECRET = "gk_b5G1yqW0m3kT8sVxZ2nC7pLr"


def stage() -> Stage:
    return Stage(lambda: [SecretView(SECRET, id="token"), Button("Other")])


async def test_it_starts_hidden_behind_a_mask_that_tells_no_length() -> None:
    async with running(stage()) as (app, _):
        assert app.lines()[0] == MASK
        assert len(MASK) != len(SECRET)
        assert SECRET not in app.shown()


@pytest.mark.parametrize("key", ["space", "enter"])
async def test_a_key_reveals_it_and_hides_it_again(key: str) -> None:
    async with running(stage()) as (app, pilot):
        app.query_one(SecretView).focus()
        await pilot.press(key)
        await pilot.pause()
        assert app.lines()[0] == SECRET
        await pilot.press(key)
        await pilot.pause()
        assert SECRET not in app.shown()
        assert [type(message) for message in app.messages].count(SecretView.Revealed) == 1


async def test_a_click_reveals_it() -> None:
    async with running(stage()) as (app, pilot):
        await pilot.click(SecretView)
        await pilot.pause()
        assert SECRET in app.shown()


async def test_it_hides_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SecretView, "SHOWN_FOR_S", 0.01)
    async with running(stage()) as (app, pilot):
        view = app.query_one(SecretView)
        view.reveal()
        async with asyncio.timeout(5):
            while view.revealed:
                await pilot.pause()
        assert SECRET not in app.shown()


async def test_a_second_reveal_starts_a_whole_minute() -> None:
    async with running(stage()) as (app, pilot):
        view = app.query_one(SecretView)
        view.reveal()
        first = view._hide_timer
        view.hide()
        view.reveal()
        await pilot.pause()
        assert view._hide_timer is not first
        assert first is not None
        assert first._task is None or first._task.done() or first._task.cancelling()


async def test_it_hides_when_the_terminal_loses_the_focus_and_stays_hidden() -> None:
    async with running(stage()) as (app, pilot):
        app.query_one(SecretView).reveal()
        app.post_message(AppBlur())
        await pilot.pause()
        assert SECRET not in app.shown()
        app.post_message(AppFocus())
        await pilot.pause()
        assert SECRET not in app.shown()


async def test_it_hides_when_another_screen_covers_it() -> None:
    async with running(stage()) as (app, pilot):
        app.query_one(SecretView).reveal()
        await pilot.pause()
        app.push_screen(Confirm("Really?", "Yes or no."))
        await pilot.pause()
        assert not app.screen_stack[0].query_one(SecretView).revealed
        assert SECRET not in app.export_screenshot()


async def test_it_hides_before_the_program_is_suspended() -> None:
    async with running(stage()) as (app, pilot):
        view = app.query_one(SecretView)
        view.reveal()
        app.app_suspend_signal.publish(app)
        assert not view.revealed
        await pilot.pause()
        assert SECRET not in app.shown()


async def test_an_empty_secret_cannot_be_revealed() -> None:
    async with running(Stage(lambda: [SecretView("", id="token")])) as (app, pilot):
        view = app.query_one(SecretView)
        view.reveal()
        await pilot.pause()
        assert not view.revealed
        assert MASK not in app.shown()


async def test_no_repr_and_no_selection_tells_it() -> None:
    async with running(stage()) as (app, pilot):
        view = app.query_one(SecretView)
        view.reveal()
        await pilot.pause()
        assert SECRET not in repr(view) + repr(app.messages) + repr(app.screen.tree)
        app.screen.text_select_all()
        assert SECRET not in (app.screen.get_selected_text() or "")


async def test_it_is_forgotten_when_it_leaves_the_screen() -> None:
    async with running(stage()) as (app, _):
        view = app.query_one(SecretView)
        await view.remove()
        assert SECRET not in repr(vars(view))
