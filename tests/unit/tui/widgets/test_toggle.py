"""The one-row switch says its state in words and can be turned with keys and mouse."""

import pytest

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.toggle import Toggle


async def test_the_state_is_a_word_and_a_mark() -> None:
    async with running(Stage(lambda: [Toggle(True, "needs care", id="a"), Toggle(id="b")])) as (app, _):
        assert app.lines()[:2] == ["━● on   needs care", "●━ off"]


async def test_some_of_several_is_a_whole_word() -> None:
    toggle = Toggle(True, on="shown", off="hidden")
    async with running(Stage(lambda: [toggle])) as (app, pilot):
        toggle.styles.width = "auto"
        await pilot.pause()
        toggle.value, toggle.is_mixed = False, True
        await pilot.pause()
        assert app.lines()[0] == "━◐━ some"


@pytest.mark.parametrize("key", ["space", "enter"])
async def test_a_key_turns_it_and_says_so_once(key: str) -> None:
    async with running(Stage(lambda: [Toggle(id="a")])) as (app, pilot):
        toggle = app.query_one(Toggle)
        toggle.focus()
        await pilot.press(key)
        assert toggle.value
        assert app.lines()[0] == "━● on"
        changes = [message for message in app.messages if isinstance(message, Toggle.Changed)]
        assert [(change.control, change.value) for change in changes] == [(toggle, True)]


async def test_a_click_turns_it_back() -> None:
    async with running(Stage(lambda: [Toggle(True, id="a")])) as (app, pilot):
        await pilot.click("#a")
        assert not app.query_one(Toggle).value


async def test_a_disabled_switch_stays() -> None:
    async with running(Stage(lambda: [Toggle(id="a", disabled=True)])) as (app, pilot):
        await pilot.click("#a")
        app.query_one(Toggle).focus()
        await pilot.press("space")
        assert not app.query_one(Toggle).value


async def test_filling_a_form_says_nothing_where_the_caller_prevents_it() -> None:
    async with running(Stage(lambda: [Toggle(id="a")])) as (app, pilot):
        with app.prevent(Toggle.Changed):
            app.query_one(Toggle).value = True
        await pilot.pause()
        assert not [message for message in app.messages if isinstance(message, Toggle.Changed)]


async def test_a_switch_of_several_says_that_some_are_on_and_turns_them_all_on() -> None:
    async with running(Stage(lambda: [Toggle(id="a", on="shown", off="hidden")])) as (app, pilot):
        toggle = app.query_one(Toggle)
        toggle.is_mixed = True
        await pilot.pause()
        assert app.lines()[0] == "━◐━ some"
        toggle.focus()
        await pilot.press("space")
        assert app.lines()[0] == "━● shown"
        await pilot.press("space")
        assert app.lines()[0] == "●━ hidden"


async def test_a_value_that_is_not_known_is_not_shown() -> None:
    async with running(Stage(lambda: [Toggle(id="a", is_known=False)])) as (app, pilot):
        assert app.lines()[0] == "…"
        app.query_one(Toggle).is_known = True
        await pilot.pause()
        assert app.lines()[0] == "●━ off"


async def test_a_switch_turned_before_its_value_is_known_shows_what_was_asked_for() -> None:
    async with running(Stage(lambda: [Toggle(id="a", is_known=False)])) as (app, pilot):
        app.query_one(Toggle).focus()
        await pilot.press("space")
        assert app.lines()[0] == "━● on"
