"""The Sidebar tab: areas and modules, the preview, defaults, and what the administrator hides."""

import pytest

from screens.navigation import Navigation
from store.sections import SidebarSettings
from tests.harness.console_steps import open_module
from tests.harness.consoles import console
from tests.harness.homes import Home
from tui.widgets.toggle import Toggle


async def test_reset_fills_the_form_and_needs_save(home: Home) -> None:
    async with home.console(press="6") as stage:
        await stage.toggle("section-dashboard")
        await stage.press("ctrl+s")
        assert len((await home.stored(SidebarSettings)).hidden_modules) == 5
        await stage.click("#sidebar #reset")
        assert len((await home.stored(SidebarSettings)).hidden_modules) == 5
        assert stage.says("Save to keep them")
        await stage.press("ctrl+s")
        assert await home.stored(SidebarSettings) == SidebarSettings()


async def test_the_preview_follows_and_settings_stays_reachable(home: Home) -> None:
    async with home.console(size=(120, 40), press="6") as stage:
        navigation = stage.app.screen.query_one("#navigation", Navigation)
        for section in ("chat", "dashboard", "personal"):
            await stage.toggle(f"section-{section}")
        assert navigation.shown == ["settings"]
        assert await home.stored(SidebarSettings) == SidebarSettings()
        await stage.press("ctrl+s")
        assert navigation.shown == ["settings"]


@pytest.mark.parametrize("way", ["discard", "another tab", "another module"])
async def test_the_sidebar_goes_back_when_the_edits_are_left_or_discarded(way: str) -> None:
    async with console(size=(120, 40), press="6") as stage:
        navigation = stage.app.screen.query_one("#navigation", Navigation)
        await stage.toggle("module-wallet")
        assert "wallet" not in navigation.shown
        match way:
            case "discard":
                await stage.press("u")
            case "another tab":
                await stage.press("5")
            case _:
                await open_module(stage, "overview")
        assert "wallet" in navigation.shown
        if way == "another tab":
            await stage.press("6")
            assert "wallet" not in navigation.shown


async def test_the_drawer_of_a_narrow_terminal_shows_what_is_saved() -> None:
    async with console(size=(80, 24), press="6") as stage:
        await stage.toggle("module-wallet")
        assert "wallet" in stage.app.screen.query_one("#navigation", Navigation).shown


async def test_an_area_shows_that_some_of_its_modules_are_hidden_and_turns_them_all(home: Home) -> None:
    async with home.console(press="6") as stage:
        await stage.toggle("module-drawing-logs")
        await stage.toggle("module-task-logs")
        assert stage.says("Dashboard Area ━◐━ some")
        assert stage.says("2 unsaved changes")
        await stage.toggle("section-dashboard")
        assert stage.says("Dashboard Area ━● shown")
        assert stage.says("Drawing Logs ━● shown")
        assert not stage.says("unsaved")
        await stage.toggle("section-dashboard")
        assert stage.says("Dashboard Area ●━ hidden")
        assert stage.says("5 unsaved changes")


async def test_a_hidden_module_still_opens(home: Home) -> None:
    """The toggles control visibility only."""
    async with home.console(press="6") as stage:
        await stage.toggle("module-wallet")
        await stage.press("ctrl+s")
        await open_module(stage, "wallet")
        assert stage.says("$5.00 left")


async def test_a_module_the_administrator_hides_cannot_be_shown(home: Home) -> None:
    home.hide_module("drawing-logs")
    async with home.console(press="6") as stage:
        switch = stage.app.screen.query_one("#module-drawing-logs", Toggle)
        assert switch.disabled
        assert stage.says("Drawing Logs ●━ hidden by admin")
        assert stage.says("Task Logs ━● shown")
