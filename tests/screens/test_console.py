"""Around the Settings page: the sidebar, the modules, the checks, help, the palette, small terminals."""

from typing import NoReturn

import pytest
from textual.command import CommandPalette

from screens.commands import commands
from screens.console import Console
from screens.help import Help
from screens.navigation import Navigation
from screens.recommendations import RecommendationList
from screens.settings.access_token import ApiKey
from screens.settings.page import SettingsPage
from store.errors import DatabaseBusy
from store.modules import MODULES
from store.money import MICRO_PER_USD
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage, console
from tests.harness.stores import add_account, make_store, sign_in, store_with_account
from tui.local_account import LocalAccount
from tui.widgets.keyset_table import KeysetTable
from tui.widgets.small_screen import SmallScreenNote
from tui.widgets.tab_bar import TabBar

INHERITED = ("tab", "shift+tab", "ctrl+c", "super+c", "ctrl+p", "escape")
"""Keys that Textual binds on every screen."""


@pytest.mark.parametrize("module", MODULES)
async def test_every_module_opens_a_page(module: str) -> None:
    async with console(size=(120, 40)) as stage:
        await open_module(stage, module)
        shown = [page.id for page in stage.app.screen.query(".module-page") if page.display]
        assert shown == [f"{module}-page"]
        assert stage.app.screen.query_one(Navigation).current == module


async def test_the_drawer_opens_a_module_and_closes(stage: Stage) -> None:
    navigation = stage.app.screen.query_one("#navigation", Navigation)
    assert not navigation.display
    await stage.press("f2")
    assert navigation.display
    assert navigation.has_focus
    await stage.press("up", "enter")
    assert stage.says("$5.00 left")
    assert not navigation.has_class("-open")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_closing_the_drawer_leads_back_to_the_page_that_is_shown(size: tuple[int, int]) -> None:
    async with console(size=size) as stage:
        await open_module(stage, "wallet")
        await stage.press("f2", "f2")
        assert stage.app.focused is stage.app.screen.query_one("#wallet-page #ledger")
        await stage.press("x", "4")
        assert isinstance(stage.app.screen, Console)
        assert stage.app.screen.query_one(SettingsPage).active == "security"


async def test_a_page_and_the_line_above_it_are_read_again_when_they_are_shown_again() -> None:
    async with console(size=(120, 40)) as stage:
        await open_module(stage, "wallet")
        await open_module(stage, "overview")
        stage.store.quota.adjust("alice", add=5 * MICRO_PER_USD, actor="test")
        await open_module(stage, "settings")
        assert stage.says("alice · $10.00 left")
        await open_module(stage, "wallet")
        assert stage.says("of $10.00 in all")
        with stage.store.database.write() as tx:
            stage.store.usage.append(tx, 1, UsageEntry(Kind.CONSUMPTION, "small"))
        await open_module(stage, "overview")
        assert stage.says("1 call")


async def test_the_wallet_shows_the_first_price_without_saying_there_is_none() -> None:
    async with console(size=(120, 40)) as stage:
        await open_module(stage, "wallet")
        await stage.press("p")
        assert stage.says("No price is named so.")
        stage.store.pricing.set(ModelPrice("small", MICRO_PER_USD, MICRO_PER_USD))
        await open_module(stage, "settings")
        await open_module(stage, "wallet")
        assert stage.says("small 1.000000 1.000000 1.000000 0.000000")
        assert not stage.says("No price is named so.")
        stage.store.pricing.set(
            ModelPrice("small", MICRO_PER_USD, MICRO_PER_USD, cached_input_per_million=MICRO_PER_USD // 8)
        )
        await open_module(stage, "settings")
        await open_module(stage, "wallet")
        assert stage.says("small 1.000000 0.125000 1.000000 0.000000")


async def test_the_cursor_stays_on_its_api_key_when_the_list_is_read_again() -> None:
    store = store_with_account()
    token = sign_in(store)
    store.api_keys.create(token, "first")
    store.api_keys.create(token, "second")
    async with console(store, size=(120, 40)) as stage:
        await open_module(stage, "api-keys")
        await stage.press("down")
        await open_module(stage, "settings")
        store.api_keys.create(token, "third")
        await open_module(stage, "api-keys")
        assert stage.says("third")
        await stage.press("x")
        assert stage.says("first (sk-")


async def test_a_log_keeps_its_place_while_another_page_is_shown() -> None:
    store = make_store()
    account = add_account(store)
    with store.database.write() as tx:
        for number in range(30):
            store.usage.append(tx, account.id, UsageEntry(Kind.CONSUMPTION, f"model-{number}"))
    async with console(store, size=(120, 40)) as stage:
        await open_module(stage, "usage-logs")
        await stage.press("down", "down")
        await open_module(stage, "settings")
        await open_module(stage, "usage-logs")
        assert stage.app.screen.query_one("#usage-logs-page KeysetTable", KeysetTable).cursor_row == 2


async def test_a_page_that_failed_says_so_no_longer_once_it_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_account: object) -> NoReturn:
        raise DatabaseBusy

    async with console(size=(120, 40)) as stage:
        with monkeypatch.context() as patch:
            patch.setattr(LocalAccount, "quota", refuse)
            await open_module(stage, "wallet")
            assert stage.says(DatabaseBusy.title)
        await open_module(stage, "wallet")
        assert not stage.says(DatabaseBusy.title)
        assert stage.says("of $5.00 in all")


async def test_edits_that_cannot_be_saved_on_leaving_are_shown_with_their_error() -> None:
    async with console(press="3") as stage:
        await stage.fill("quota-warning-threshold", "zzz")
        await stage.press("4")
        await open_module(stage, "wallet")
        await stage.press("ctrl+q")
        assert stage.says("The Notifications tab has changes")
        await stage.press("s")
        assert stage.app.screen.query_one(Navigation).current == "settings"
        assert stage.app.screen.query_one(TabBar).active == "notifications"
        assert stage.says("Enter dollars with up to two decimals")
        assert stage.app.focused is stage.app.screen.query_one("#quota-warning-threshold")


async def test_who_stays_with_the_edits_keeps_the_cursor_in_them(stage: Stage) -> None:
    await stage.press("3", "tab", "9", "ctrl+q", "escape")
    assert stage.app.focused is stage.app.screen.query_one("#quota-warning-threshold")


async def test_escape_closes_the_drawer(stage: Stage) -> None:
    await open_module(stage, "wallet")
    await stage.press("f2", "escape")
    assert not stage.app.screen.query_one(Navigation).display
    assert stage.app.focused is stage.app.screen.query_one("#wallet-page #ledger")


async def test_a_wide_terminal_shows_the_sidebar_and_both_areas() -> None:
    async with console(size=(120, 40)) as stage:
        assert stage.says("Account Management › Security Settings")
        await stage.press("3")
        assert stage.says("Other Settings › Notification Configuration")
        assert stage.app.screen.query_one("#navigation").display


async def test_a_log_of_any_length_is_read_page_by_page() -> None:
    store = make_store()
    account = add_account(store)
    with store.database.write() as tx:
        for number in range(130):
            store.usage.append(tx, account.id, UsageEntry(Kind.CONSUMPTION, f"model-{number}"))
    async with console(store, size=(120, 40)) as stage:
        await open_module(stage, "usage-logs")
        table = stage.app.screen.query_one("#usage-logs-page KeysetTable", KeysetTable)
        first_rows = table.row_count
        assert 50 <= first_rows < 130
        await stage.press(*["pagedown"] * 4)
        assert table.row_count > first_rows
        await stage.press("end")
        assert stage.says("model-0")


async def test_an_empty_log_says_so(stage: Stage) -> None:
    await open_module(stage, "drawing-logs")
    assert stage.says("No image has been made yet.")


async def test_an_api_key_is_made_shown_once_and_revoked(stage: Stage) -> None:
    await open_module(stage, "api-keys")
    await stage.press("n")
    await stage.fill("api-key-limit", "1.005")
    await stage.fill("api-key-name", "build")
    await stage.click("#create")
    assert stage.says("Enter dollars with up to two decimals")
    await stage.fill("api-key-limit", "2.50")
    await stage.click("#create")
    assert isinstance(stage.app.screen, ApiKey)
    await stage.press("space")
    assert "sk-" in stage.text()
    await stage.press("escape")
    assert stage.says("build")
    await stage.press("x", "y")
    assert stage.says("build was revoked.")
    assert stage.says("✗ revoked")


async def test_the_checks_lead_to_their_setting() -> None:
    async with console(press="r") as stage:
        assert isinstance(stage.app.screen, RecommendationList)
        await stage.press("down", "down", "down", "enter")
        assert stage.app.screen.query_one(SettingsPage).active == "notifications"
        assert stage.app.focused is stage.app.screen.query_one("#quota-warning-threshold")


@pytest.mark.parametrize("key", ["f1", "question_mark"])
async def test_help_tells_of_the_tab_and_its_keys(key: str) -> None:
    async with console(size=(100, 50)) as stage:
        await stage.press("4", key)
        assert isinstance(stage.app.screen, Help)
        assert stage.says("A model without a price cannot be charged for by rule")
        assert stage.says("Save the settings of this tab")
        await stage.press("escape")
        assert not isinstance(stage.app.screen, Help)


async def test_help_tells_of_the_focused_field() -> None:
    async with console(size=(100, 50)) as stage:
        await stage.press("3", "tab", "f1")
        assert stage.says("falls below this amount in USD")


async def test_the_palette_offers_every_tab_and_action_and_no_screenshot(stage: Stage) -> None:
    titles = [command.title for command in commands(stage.app, stage.app.screen)]
    for title in ("Settings: Privacy", "Change password", "Delete account", "Open Wallet", "Lock", "Quit"):
        assert title in titles
    assert not any("creenshot" in title for title in titles)
    await stage.pilot.press("ctrl+p")
    await stage.pilot.pause()
    assert isinstance(stage.app.screen, CommandPalette)


async def test_a_palette_command_opens_its_dialog() -> None:
    async with console(press="5") as stage:
        command = next(each for each in commands(stage.app, stage.app.screen) if each.title == "Delete account")
        command.run()
        await stage.settle()
        assert stage.says("All stored data will be permanently deleted.")


async def test_a_tiny_terminal_says_so_and_comes_back(stage: Stage) -> None:
    await stage.pilot.resize_terminal(30, 8)
    await stage.settle()
    assert stage.app.screen.query(SmallScreenNote)
    await stage.pilot.resize_terminal(80, 24)
    await stage.settle()
    assert not stage.app.screen.query(SmallScreenNote)
    assert stage.says("System Access Token")


@pytest.mark.parametrize("size", [(60, 20), (40, 10)])
async def test_a_small_terminal_can_still_save(size: tuple[int, int]) -> None:
    async with console(size=size) as stage:
        await stage.press("4", "tab", "space", "ctrl+s")
        assert stage.says("Saved.")


async def test_every_binding_has_an_id_a_description_and_a_tooltip(stage: Stage) -> None:
    for active in stage.app.screen.active_bindings.values():
        binding = active.binding
        if type(active.node).__module__.startswith(("screens", "tui")) and binding.key not in INHERITED:
            assert binding.id, binding
            assert binding.description, binding
            assert binding.tooltip, binding
