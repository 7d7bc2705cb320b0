"""The Settings page: its tabs, and edits that are not lost by another tab, a lock or leaving."""

from pathlib import Path

import pytest
from textual.widgets import Button

from screens.console import Console
from screens.settings.page import SettingsPage
from screens.settings.section_save import SectionPane
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.homes import Home
from tests.harness.stores import add_account, make_store, sqlite_url
from tui.widgets.confirm import Choice
from tui.widgets.tab_bar import TabBar
from tui.widgets.toggle import Toggle


async def test_saving_one_tab_leaves_the_others_alone(home: Home) -> None:
    async with home.console(press="6") as stage:
        await stage.toggle("module-wallet")
        await stage.press("ctrl+s")
        await stage.press("3")
        await stage.fill("quota-warning-threshold", "7.50")
        await stage.press("ctrl+s")
        assert (await home.stored(NotificationSettings)).threshold_micro_usd == 7_500_000
        assert (await home.stored(SidebarSettings)).hidden_modules == {"wallet"}
        assert await home.stored(PriceSettings) == PriceSettings()
        assert await home.stored(PrivacySettings) == PrivacySettings()


async def test_a_dirty_tab_is_marked_and_keeps_its_edit_while_another_is_shown(home: Home) -> None:
    async with home.console(press="5") as stage:
        await stage.toggle("record-client-ip")
        assert "5•Privacy" in stage.text()
        await stage.click("#settings-tabs")
        await stage.press("2", "5")
        assert stage.app.screen.query_one("#record-client-ip", Toggle).value
        assert "5•Privacy" in stage.text()


async def test_an_edit_taken_back_is_no_edit(home: Home) -> None:
    async with home.console(press="5") as stage:
        await stage.toggle("record-client-ip")
        await stage.toggle("record-client-ip")
        assert "5•" not in stage.text()
        assert stage.app.screen.query_one("#privacy #save", Button).disabled


@pytest.mark.parametrize("way", ["ctrl+q", "sign-out", "palette"])
async def test_leaving_with_unsaved_edits_asks_and_stays_by_default(way: str) -> None:
    async with console(press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        match way:
            case "ctrl+q":
                await stage.press("ctrl+q")
            case "sign-out":
                stage.app.action_sign_out()
                await stage.settle()
            case _:
                await stage.app.run_action("quit")
                await stage.settle()
        assert isinstance(stage.app.screen, Choice)
        await stage.press("enter")
        assert stage.app.is_running
        assert stage.app.screen.query_one("#accept-unpriced-models", Toggle).value


async def test_to_leave_twice_is_to_leave_once() -> None:
    async with console(press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        await stage.press("ctrl+q", "ctrl+q")
        assert sum(isinstance(screen, Choice) for screen in stage.app.screen_stack) == 1
        await stage.press("escape")
        assert isinstance(stage.app.screen, Console)
        await stage.press("ctrl+q")
        assert isinstance(stage.app.screen, Choice)


async def test_leaving_can_save_first(tmp_path: Path) -> None:
    store = make_store(sqlite_url(tmp_path))
    add_account(store)
    async with console(store, press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        await stage.press("ctrl+q")
        await stage.pilot.press("s")
        await stage.until(lambda: not stage.app.is_running)
    with make_store(sqlite_url(tmp_path)) as after, after.database.read() as tx:
        saved = after.settings.read(tx, after.accounts.find("alice").id, PriceSettings)
    assert saved.section == PriceSettings(True)


async def test_a_lock_keeps_unsaved_edits() -> None:
    async with console(press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        await stage.press("ctrl+l")
        assert stage.says("Locked")
        assert "Accept Models" not in stage.text()
        await stage.enter("password", PASSWORD)
        assert stage.app.screen.query_one("#accept-unpriced-models", Toggle).value
        assert "4•Price" in stage.text()


async def test_tabs_are_reached_by_digit_bracket_and_page_key(stage: Stage) -> None:
    page = stage.app.screen.query_one(SettingsPage)
    for key, tab in (
        ("1", "account-binding"),
        ("left_square_bracket", "sidebar"),
        ("right_square_bracket", "account-binding"),
        ("ctrl+pagedown", "security"),
        ("ctrl+pageup", "account-binding"),
        ("6", "sidebar"),
    ):
        await stage.press(key)
        assert page.active == tab
        assert stage.app.screen.query_one(TabBar).active == tab
        assert [pane.id for pane in stage.app.screen.query(".pane") if pane.display] == [tab]


async def test_a_long_address_does_not_keep_the_tabs() -> None:
    """A field that scrolls its text would take the page keys for itself."""
    async with console(press="3") as stage:
        await stage.fill("webhook-url", "https://hooks.example.com/" + "a" * 200)
        for key, tab in (("ctrl+pagedown", "price"), ("ctrl+pageup", "security")):
            await stage.press("3")
            await stage.focus("#webhook-url")
            await stage.press(key)
            assert stage.app.screen.query_one(SettingsPage).active == tab


async def test_save_is_greyed_until_something_changed(home: Home) -> None:
    async with home.console(press="4") as stage:
        page = stage.app.screen.query_one(SettingsPage)
        assert page.check_action("save", ()) is None
        await stage.toggle("accept-unpriced-models")
        assert page.check_action("save", ()) is True
        assert isinstance(page.pane, SectionPane)
