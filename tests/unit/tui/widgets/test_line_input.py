"""A letter costs one line: nothing around the input is laid out again, and long text still scrolls."""

import pytest
from textual.events import Key
from textual.screen import Screen

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.field import Field
from tui.widgets.line_input import LineInput
from tui.widgets.text_input import TextInput

LONG = "abcdefghijklmnopqrstuvwxyz" * 5


def stage() -> Stage:
    return Stage(lambda: [Field("Address", TextInput(id="address")), Field("Other", TextInput(id="other"))])


async def test_a_letter_lays_nothing_out_again() -> None:
    async with running(stage()) as (app, pilot):
        field = app.query_one("#address", LineInput)
        field.focus()
        await pilot.press("a")
        laid_out: list[Screen[object]] = []
        app.screen.screen_layout_refresh_signal.subscribe(app, laid_out.append, immediate=True)
        await pilot.press("b", "c", "backspace")
        await pilot.pause()
        assert laid_out == []
        app.screen.refresh(layout=True)
        await pilot.pause()
        assert laid_out, "the signal is expected to come when a layout does"


async def test_keys_that_arrive_together_are_taken_in_their_order() -> None:
    async with running(stage()) as (app, pilot):
        field = app.query_one("#address", LineInput)
        field.focus()
        field.insert_text_at_cursor("2.50")
        await pilot.pause()
        for key, character in (("ctrl+u", None), *(("3", "3"), ("4", "4")), ("backspace", None), ("full_stop", ".")):
            app.post_message(Key(key, character))
        await pilot.pause()
        await pilot.pause()
        assert field.value == "3."


@pytest.mark.parametrize("key", ["a", "backspace", "left"])
async def test_the_cursor_was_seen_while_one_typed(key: str) -> None:
    async with running(stage()) as (app, pilot):
        field = app.query_one("#address", LineInput)
        field.focus()
        field.insert_text_at_cursor("2.50")
        await pilot.pause()
        field._cursor_visible = False  # it blinks
        await pilot.press(key)
        assert field._cursor_visible


async def test_long_text_scrolls_to_the_cursor_and_back() -> None:
    async with running(stage()) as (app, pilot):
        field = app.query_one("#address", LineInput)
        field.focus()
        field.insert_text_at_cursor(LONG)
        await pilot.pause()
        assert "uvwxyz" in app.lines()[0]
        assert "Address  " in app.lines()[0]
        await pilot.press("home")
        await pilot.pause()
        assert "abcdefg" in app.lines()[0]
        assert "uvwxyzabc" in app.lines()[0]
        await pilot.press("end", "backspace")
        await pilot.pause()
        assert app.lines()[0].rstrip().endswith("uvwxy")
