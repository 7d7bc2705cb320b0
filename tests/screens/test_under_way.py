"""While the account is at work on something: what is typed ahead waits for it, and nothing takes it away."""

import asyncio

import pytest
from textual.events import Key
from textual.widgets import Button, Input

from screens.console import Console
from screens.lock import LockScreen
from screens.settings.access_token import AccessToken
from screens.settings.conflict import Conflict
from screens.settings.delete_account import DeleteAccount
from screens.settings.notifications import NotificationsPane
from screens.settings.page import SettingsPage
from screens.settings.pane import Pane
from screens.settings.sidebar import SidebarPane
from screens.settings.two_factor_manage import NewBackupCodes
from store.errors import DatabaseBusy
from store.sections import SidebarSettings
from tests.harness.console_steps import burst, enable_two_factor, save_elsewhere
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.slow_accounts import SlowAccount, slow_console
from tests.harness.stores import add_account, make_store, sign_in
from tui import input_queue
from tui.widgets.confirm import Choice, Confirm
from tui.widgets.tab_bar import TabBar
from tui.widgets.toggle import Toggle


async def test_a_question_and_its_proof_in_one_piece(stage: Stage) -> None:
    stage.clock.advance(minutes=6)
    await burst(stage, "t", "y", PASSWORD, "<enter>")
    assert isinstance(stage.app.screen, AccessToken), stage.text()


async def test_a_name_typed_ahead_is_in_the_field_it_was_meant_for() -> None:
    async with slow_console("check_deletable") as (stage, account):
        for key in ("x", "shift+tab", "a", "l", "i"):
            stage.app.post_message(Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: account.asked)
        await asyncio.sleep(0.05)
        assert isinstance(stage.app.screen, Console)
        await account.answer(stage)
        assert isinstance(stage.app.screen, DeleteAccount)
        assert stage.app.screen.query_one("#username", Input).value == "ali"


async def test_what_was_typed_ahead_of_a_dialog_that_takes_long_does_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that is to be typed into Delete Account would ask for a new token with its t, and confirm with its y."""
    store = make_store()
    add_account(store, "toby")
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 0.05)
    async with slow_console("check_deletable", store=store, name="toby") as (stage, account):
        await stage.settle()
        for key in ("x", "tab", "t", "o", "b", "3", "y"):
            stage.app.post_message(Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: account.asked and stage.app._input.is_quiet)
        assert account.asked == ["check_deletable"]
        assert stage.app.screen.query_one(SettingsPage).active == "security"
        await account.answer(stage)
        assert isinstance(stage.app.screen, DeleteAccount)


async def test_to_lock_waits_for_no_dialog_in_one_piece_either() -> None:
    async with slow_console("begin_two_factor") as (stage, account):
        await stage.settle()
        for key in ("f", "3", "ctrl+l", "a"):
            stage.app.post_message(Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: stage.app.is_locked and stage.app.screen.query("#password"))
        await stage.until(lambda: stage.app.screen.query_one("#password", Input).value == "a")
        await account.answer(stage)


async def test_to_lock_waits_for_no_dialog() -> None:
    async with slow_console("begin_two_factor") as (stage, account):
        await stage.settle()
        await stage.pilot.press("f")
        await stage.until(lambda: account.asked)
        await stage.pilot.press("3", "ctrl+l", *PASSWORD.replace(" ", ""))
        assert stage.app.is_locked
        assert stage.app.screen.query_one("#password", Input).value == PASSWORD.replace(" ", "")
        await account.answer(stage)
        assert isinstance(stage.app.screen, LockScreen)


async def ask_for_a_token(stage: Stage, account: SlowAccount) -> None:
    await stage.settle()
    await stage.pilot.press("t")
    await stage.until(lambda: isinstance(stage.app.screen, Confirm))
    await stage.pilot.press("y")
    await stage.until(lambda: account.asked)


@pytest.mark.parametrize("key", ["s", "f", "t", "a"])
async def test_a_token_under_way_is_shown_whatever_is_pressed_meanwhile(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account makes it all the same, and it is shown once."""
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 0.05)
    async with slow_console("generate_access_token") as (stage, account):
        await ask_for_a_token(stage, account)
        await stage.until(lambda: stage.app._input.is_quiet)
        await stage.pilot.press(key)
        account.answers.set()
        await stage.until(lambda: isinstance(stage.app.screen, AccessToken))
        await stage.settle()


async def test_one_does_not_leave_before_a_token_under_way_was_seen() -> None:
    async with slow_console("generate_access_token") as (stage, account):
        await ask_for_a_token(stage, account)
        stage.app.run_worker(stage.app.ask_and_leave())
        account.answers.set()
        await stage.until(lambda: any(isinstance(screen, AccessToken) for screen in stage.app.screen_stack))
        await stage.until(lambda: stage.says("Close without keeping it?"))
        await stage.press("escape")
        assert isinstance(stage.app.screen, AccessToken)


async def test_new_backup_codes_under_way_are_shown_whatever_is_pressed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 0.05)
    async with slow_console("renew_backup_codes") as (stage, account):
        await stage.settle()
        enable_two_factor(stage.store, account._token)
        await stage.press("f")
        await stage.click("#renew")
        await stage.pilot.press("y")
        await stage.until(lambda: account.asked)
        await stage.until(lambda: stage.app._input.is_quiet)
        await stage.pilot.press("escape")
        stage.app.screen.query_one("#cancel", Button).press()
        account.answers.set()
        await stage.until(lambda: isinstance(stage.app.screen, NewBackupCodes))
        await stage.settle()


async def test_an_edit_made_while_saving_stays_an_edit() -> None:
    async with slow_console("save") as (stage, account):
        await stage.settle()
        await stage.press("3")
        await stage.fill("quota-warning-threshold", "7")
        await stage.pilot.press("ctrl+s")
        await stage.until(lambda: account.asked)
        pane = stage.app.screen.query_one(NotificationsPane)
        stage.app.screen.query_one("#email-address", Input).value = "alerts@example.com"
        # An edit takes away the sentence below the form, so it must have been noted before the save ends.
        await stage.until(lambda: len(pane.edited_settings) == 2)
        await account.answer(stage)
        assert stage.app.screen.query_one("#email-address", Input).value == "alerts@example.com"
        assert stage.says("Saved, but for what you typed since.")
        assert pane.dirty
        await stage.press("ctrl+s")
        assert stage.says("Saved.")
        assert not pane.dirty


async def test_saving_twice_is_saving_once() -> None:
    async with slow_console("save") as (stage, account):
        await stage.settle()
        await stage.press("3")
        await stage.fill("quota-warning-threshold", "7")
        await stage.pilot.press("ctrl+s", "ctrl+s", "ctrl+s")
        await stage.until(lambda: account.asked)
        await account.answer(stage)
        assert account.asked == ["save"]
        assert stage.says("Saved.")


async def test_what_went_wrong_with_two_factor_can_be_read(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:

    async def fails() -> None:
        raise DatabaseBusy

    monkeypatch.setattr(stage.app.account, "begin_two_factor", fails)
    await stage.press("f")
    assert stage.says(DatabaseBusy().title)


async def test_a_session_begun_since_can_be_ended() -> None:
    async with console(press="o") as stage:
        assert stage.says("No other sessions.")
        sign_in(stage.store)
        await stage.press("o", "y")
        assert stage.says("1 session was signed out.")


async def test_a_token_made_since_is_warned_of(stage: Stage) -> None:
    stage.store.access_token.generate(sign_in(stage.store))
    await stage.press("t")
    assert stage.says("The present token stops working at once")


async def test_two_tabs_chosen_in_one_piece_show_the_second(stage: Stage) -> None:
    bar, shown = stage.app.screen.query_one(TabBar), []
    show_tab = SettingsPage.show_tab

    async def noting(page: SettingsPage, tab: str) -> Pane:
        shown.append(tab)
        return await show_tab(page, tab)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SettingsPage, "show_tab", noting)
        bar.active = "price"
        bar.active = "privacy"
        await stage.settle()
    assert stage.app.screen.query_one(SettingsPage).active == "privacy"
    assert shown == ["privacy"]


async def test_the_keys_of_the_page_stay_when_a_button_disables_itself(stage: Stage) -> None:
    sign_in(stage.store)
    await stage.press("f5")
    await stage.click("#others-action")
    await stage.press("y")
    assert stage.says("1 session was signed out.")
    await stage.press("3")
    assert stage.app.screen.query_one(SettingsPage).active == "notifications"


async def test_a_module_switched_early_does_not_switch_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 0.0)
    dashboard = frozenset({"overview", "api-keys", "usage-logs", "drawing-logs", "task-logs"})
    async with slow_console("load") as (stage, account):
        await stage.settle()
        stage.store.settings.save(sign_in(stage.store), SidebarSettings(dashboard), 1)
        await stage.pilot.press("6")
        await stage.until(lambda: stage.app.screen.query("#module-overview"))
        stage.app.screen.query_one("#module-overview", Toggle).focus()
        await stage.pilot.press("space")
        await account.answer(stage)
        assert stage.app.screen.query_one(SidebarPane).read().hidden_modules == dashboard - {"overview"}


async def test_keys_go_on_when_no_dialog_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 10_000.0)
    async with console() as stage:

        async def fails() -> None:
            raise DatabaseBusy

        monkeypatch.setattr(stage.app.account, "begin_two_factor", fails)
        await burst(stage, "f", "5")
        await stage.until(lambda: stage.app.screen.query_one(SettingsPage).active == "privacy")


async def test_one_may_leave_while_a_conflict_is_asked_about() -> None:
    """The question is not what the account was asked for: leaving does not wait for it, and asks itself."""
    async with console(press="3") as stage:
        await stage.fill("quota-warning-threshold", "7")
        await save_elsewhere(stage, 3_000_000)
        await stage.press("ctrl+s")
        assert isinstance(stage.app.screen, Conflict)
        assert stage.app._answered.is_set()
        await stage.press("ctrl+q")
        assert isinstance(stage.app.screen, Choice)


async def test_a_test_under_way_is_said_to_be_whatever_is_read_meanwhile() -> None:
    async with slow_console("send_test") as (stage, account):
        await stage.settle()
        await stage.press("3")
        stage.app.screen.query_one("#send-test-email").focus()
        await stage.pilot.press("enter")
        await stage.until(lambda: account.asked)
        stage.app.screen.query_one(NotificationsPane).shown()
        await stage.until(lambda: not any(work.group == "load" and work.is_running for work in stage.app.workers))
        assert stage.says("sending…")
        account.answers.set()
        await stage.until(lambda: not stage.says("sending…"))
        await stage.settle()
