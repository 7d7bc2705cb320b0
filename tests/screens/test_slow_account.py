"""Input before the account has answered takes effect when it has; nothing typed is lost."""

import asyncio

import pytest
from textual.events import Key
from textual.widgets import Input

from screens.app import GatekeyApp
from screens.console import Console
from screens.recommendations import RecommendationList
from screens.settings.change_password import ChangePassword
from screens.settings.delete_account import DeleteAccount
from screens.settings.notifications import NotificationsPane
from screens.settings.sidebar import SidebarPane
from screens.settings.two_factor_setup import TwoFactorSetup
from screens.sign_in import SignIn
from store.errors import DatabaseBusy, SessionEnded
from store.sections import SidebarSettings
from store.values.bindings import ProviderKind
from tests.harness.console_steps import burst, save_elsewhere
from tests.harness.consoles import PASSWORD, SIZE, Stage, console
from tests.harness.slow_accounts import slow_console
from tests.harness.stores import add_account, make_store, sign_in, still_clock
from tui import input_queue
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options
from tui.widgets.confirm import Confirm
from tui.widgets.toggle import Toggle


@pytest.mark.parametrize(
    ("key", "dialog"),
    [("t", Confirm), ("p", ChangePassword), ("f", TwoFactorSetup), ("x", DeleteAccount), ("r", RecommendationList)],
)
async def test_a_key_before_the_tab_is_filled_is_answered(key: str, dialog: type[object]) -> None:
    async with slow_console("security", "summary") as (stage, account):
        await stage.pilot.press(key)
        await stage.until(lambda: account.asked)
        assert isinstance(stage.app.screen, Console)
        account.answers.set()
        await stage.until(lambda: isinstance(stage.app.screen, dialog))
        await stage.settle()


async def test_what_a_key_cannot_do_is_said_once_it_is_known() -> None:
    async with slow_console("security") as (stage, account):
        await stage.pilot.press("y", "o")
        await account.answer(stage)
        assert isinstance(stage.app.screen, Console)
        assert stage.says("No other sessions.")


async def test_a_key_before_the_data_is_open_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo opens after its first picture."""
    store = make_store()
    add_account(store, "alice")
    account = LocalAccount(Options(), token=sign_in(store))
    may_open = asyncio.Event()

    async def open_later() -> bool:
        await may_open.wait()
        account._opened = store
        account._was_opened.set()
        return False

    monkeypatch.setattr(account, "open", open_later)
    clock = still_clock(store)
    app = GatekeyApp(account, ConsoleConfig())
    async with app.run_test(size=SIZE) as pilot:
        stage = Stage(app, pilot, store, clock)
        await stage.until(lambda: app.screen_stack and app.screen.query("#settings-tabs") and app.focused)
        await pilot.press("f")
        await pilot.pause()
        assert isinstance(app.screen, Console)
        may_open.set()
        await stage.until(lambda: isinstance(app.screen, TwoFactorSetup))
        await stage.press("escape", "y")
        await stage.press("3")
        assert app.screen.query_one("#quota-warning-threshold", Input).value == "1.00"


async def test_what_was_typed_ahead_of_the_form_waits_for_it() -> None:
    async with slow_console("load") as (stage, account):
        for key in ("3", "tab", "end", "backspace", "9", "ctrl+s"):
            stage.app.post_message(Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: account.asked)
        await account.answer(stage)
        assert stage.app.screen.query_one("#quota-warning-threshold", Input).value == "1.09"
        assert stage.says("Saved.")


async def test_what_was_typed_before_the_form_was_filled_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 0.0)
    async with slow_console("load") as (stage, account):
        await stage.pilot.press("3")
        await stage.until(lambda: stage.app.screen.query("#quota-warning-threshold"))
        stage.app.screen.query_one("#quota-warning-threshold").focus()
        await stage.pilot.press("7", ".", "2", "5", "left")
        stage.app.screen.query_one("#channel-webhook", Toggle).focus()
        await stage.pilot.press("space")
        await account.answer(stage)
        threshold = stage.app.screen.query_one("#quota-warning-threshold", Input)
        assert (threshold.value, threshold.cursor_position) == ("7.25", 3)
        assert stage.app.screen.query_one("#channel-webhook", Toggle).value
        assert stage.app.screen.query_one("#gotify-priority", Input).value == "5", "what nobody typed was not filled in"
        assert stage.app.screen.query_one(NotificationsPane).dirty


async def test_a_module_switched_early_stays_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 0.0)
    async with slow_console("load") as (stage, account):
        await stage.settle()
        token = sign_in(stage.store)
        stage.store.settings.save(token, SidebarSettings(frozenset({"playground", "wallet"})), 1)
        await stage.pilot.press("6")
        await stage.until(lambda: stage.app.screen.query("#section-chat"))
        stage.app.screen.query_one("#module-playground", Toggle).focus()
        await stage.pilot.press("space")
        await account.answer(stage)
        assert stage.app.screen.query_one("#module-playground", Toggle).value
        assert not stage.app.screen.query_one("#module-wallet", Toggle).value
        assert stage.app.screen.query_one(SidebarPane).dirty


async def test_a_tab_that_could_not_be_read_is_read_when_it_is_shown_again(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    load = stage.app.account.load

    async def fails(_kind: object) -> None:
        raise DatabaseBusy

    monkeypatch.setattr(stage.app.account, "load", fails)
    await stage.press("3")
    assert stage.says(DatabaseBusy().title)
    monkeypatch.setattr(stage.app.account, "load", load)
    await stage.press("f5")
    assert not stage.says(DatabaseBusy().title)
    assert stage.app.screen.query_one("#gotify-priority", Input).value == "5"
    assert not stage.app.screen.query_one(NotificationsPane).dirty


@pytest.mark.parametrize("keys", [("f5",), ("ctrl+r",), ("4", "3")])
async def test_what_another_console_saved_shows_unless_one_edits(keys: tuple[str, ...]) -> None:
    async with console(press="3") as stage:
        await save_elsewhere(stage, 3_000_000)
        await stage.press(*keys)
        threshold = stage.app.screen.query_one("#quota-warning-threshold", Input)
        assert threshold.value == "3.00"
        await stage.fill("quota-warning-threshold", "9")
        await save_elsewhere(stage, 4_000_000)
        await stage.press(*keys)
        assert threshold.value == "9"
        assert stage.app.screen.query_one(NotificationsPane).dirty


async def test_a_letter_that_was_quicker_than_the_answer_stays() -> None:
    async with slow_console("load") as (stage, account):
        await account.answer(stage)
        await stage.press("3")
        account.answers.clear()
        account.asked.clear()
        await stage.pilot.press("f5")
        await stage.until(lambda: account.asked)
        threshold = stage.app.screen.query_one("#quota-warning-threshold", Input)
        with threshold.prevent(Input.Changed):
            threshold.value = "9"  # the message that tells of it is still on its way
        await account.answer(stage)
        assert threshold.value == "9"


async def test_an_answer_from_before_a_save_is_not_shown_after_it() -> None:
    async with console(press="3") as stage:
        pane = stage.app.screen.query_one(NotificationsPane)
        assert pane.saved is not None
        before = pane.saved
        await stage.fill("quota-warning-threshold", "9")
        await stage.press("ctrl+s")
        pane._show_again(before)
        assert stage.app.screen.query_one("#quota-warning-threshold", Input).value == "9.00"


async def test_a_row_that_is_read_again_keeps_the_focus() -> None:
    store = make_store()
    add_account(store, "alice")
    store.site.set("account_binding.enabled", "true")
    for slug in ("one", "two"):
        store.bindings.add_provider(
            slug, slug.title(), ProviderKind.GITHUB, issuer="", client_id="x", client_secret=None
        )
    async with console(store, press="1") as stage:
        list(stage.app.screen.query("#providers Button"))[1].focus()
        await stage.press("f5")
        assert stage.app.focused is list(stage.app.screen.query("#providers Button"))[1]


async def test_what_was_typed_ahead_is_not_shown_when_the_session_ended(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:

    async def ended() -> None:
        await asyncio.sleep(0.05)
        raise SessionEnded

    monkeypatch.setattr(stage.app.account, "begin_two_factor", ended)
    await burst(stage, "f", PASSWORD)
    assert isinstance(stage.app.screen, SignIn)
    assert stage.app.screen.query_one("#username", Input).value == ""
