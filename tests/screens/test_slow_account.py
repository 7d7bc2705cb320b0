"""What a person does before the account has answered is done when it has; nothing typed is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual.events import Key
from textual.widgets import Button, Input

from screens.console import Console
from screens.recommendations import RecommendationList
from screens.settings.access_token import AccessToken
from screens.settings.change_password import ChangePassword
from screens.settings.delete_account import DeleteAccount
from screens.settings.notifications import NotificationsPane
from screens.settings.page import SettingsPage
from screens.settings.panes import Pane
from screens.settings.sidebar import SidebarPane
from screens.settings.two_factor_manage import NewBackupCodes
from screens.settings.two_factor_setup import TwoFactorSetup
from screens.sign_in import SignIn
from store.bindings import ProviderKind
from store.errors import DatabaseBusy, SessionEnded
from store.sections import NotificationSettings, SidebarSettings
from store.store import Store
from tests.consoles import PASSWORD, SIZE, Stage, console
from tests.screens.test_key_order import burst
from tests.screens.test_sign_in import enable_two_factor
from tests.stores import StillClock, add_account, make_store, sign_in
from tui import key_order
from tui.app import GatekeyApp
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.opening import Options
from tui.widgets.confirm import Confirm
from tui.widgets.tab_bar import TabBar
from tui.widgets.toggle import Toggle

pytestmark = pytest.mark.anyio


class SlowAccount(LocalAccount):
    """Answers what is named in `slow` only after `answers` was set."""

    def __init__(self, store: Store, name: str, *slow: str) -> None:
        super().__init__(Options(), opened=store, token=sign_in(store, name))
        self.answers = asyncio.Event()
        self.slow = set(slow)
        self.asked: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        attribute = super().__getattribute__(name)
        if name.startswith("_") or name in {"slow", "answers", "asked"} or name not in self.slow:
            return attribute

        async def later(*arguments: Any) -> Any:
            self.asked.append(name)
            await self.answers.wait()
            return await attribute(*arguments)

        return later


@asynccontextmanager
async def slow_console(
    *slow: str, store: Store | None = None, name: str = "alice"
) -> AsyncIterator[tuple[Stage, SlowAccount]]:
    """A console whose account has not answered yet, and shows its first page."""
    if store is None:
        store = make_store()
        add_account(store, name)
    account = SlowAccount(store, name, *slow)
    clock = store.context.clock
    assert isinstance(clock, StillClock)
    app = GatekeyApp(account, ConsoleConfig())
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        stage = Stage(app, pilot, store, clock)
        await stage.until(lambda: app.screen_stack and app.screen.query("#settings-tabs") and app.focused)
        yield stage, account


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
        await stage.pilot.press("k", "o")
        account.answers.set()
        await stage.settle()
        assert isinstance(stage.app.screen, Console)
        assert stage.says("there are none")


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
    clock = store.context.clock
    assert isinstance(clock, StillClock)
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
        account.answers.set()
        await stage.settle()
        assert stage.app.screen.query_one("#quota-warning-threshold", Input).value == "1.09"
        assert stage.says("Saved.")


async def test_what_was_typed_before_the_form_was_filled_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_order, "_LOOKS_OF_A_HOLD", 0)
    async with slow_console("load") as (stage, account):
        await stage.pilot.press("3")
        await stage.until(lambda: stage.app.screen.query("#quota-warning-threshold"))
        stage.app.screen.query_one("#quota-warning-threshold").focus()
        await stage.pilot.press("7", ".", "2", "5", "left")
        stage.app.screen.query_one("#channel-webhook", Toggle).focus()
        await stage.pilot.press("space")
        account.answers.set()
        await stage.settle()
        threshold = stage.app.screen.query_one("#quota-warning-threshold", Input)
        assert (threshold.value, threshold.cursor_position) == ("7.25", 3)
        assert stage.app.screen.query_one("#channel-webhook", Toggle).value
        assert stage.app.screen.query_one("#gotify-priority", Input).value == "5", "what nobody typed was not filled in"
        assert stage.app.screen.query_one(NotificationsPane).dirty


async def test_a_module_switched_early_stays_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_order, "_LOOKS_OF_A_HOLD", 0)
    async with slow_console("load") as (stage, account):
        await stage.settle()
        token = sign_in(stage.store)
        stage.store.settings.save(token, SidebarSettings(frozenset({"playground", "wallet"})), 1)
        await stage.pilot.press("6")
        await stage.until(lambda: stage.app.screen.query("#section-chat"))
        stage.app.screen.query_one("#module-playground", Toggle).focus()
        await stage.pilot.press("space")
        account.answers.set()
        await stage.settle()
        assert stage.app.screen.query_one("#module-playground", Toggle).value
        assert not stage.app.screen.query_one("#module-wallet", Toggle).value
        assert stage.app.screen.query_one(SidebarPane).dirty


async def test_a_tab_that_could_not_be_read_is_read_when_it_is_shown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console() as stage:
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
    async with console() as stage:
        await stage.press("3")
        await save_elsewhere(stage, 3_000_000)
        await stage.press(*keys)
        threshold = stage.app.screen.query_one("#quota-warning-threshold", Input)
        assert threshold.value == "3.00"
        await stage.fill("quota-warning-threshold", "9")
        await save_elsewhere(stage, 4_000_000)
        await stage.press(*keys)
        assert threshold.value == "9"
        assert stage.app.screen.query_one(NotificationsPane).dirty


async def save_elsewhere(stage: Stage, threshold_micro_usd: int) -> None:
    token = sign_in(stage.store)
    base = stage.store.settings.load(token, NotificationSettings)
    stage.store.settings.save(token, replace(base.section, threshold_micro_usd=threshold_micro_usd), base.version)


async def test_a_letter_that_was_quicker_than_the_answer_stays() -> None:
    async with slow_console("load") as (stage, account):
        account.answers.set()
        await stage.settle()
        await stage.press("3")
        account.answers.clear()
        account.asked.clear()
        await stage.pilot.press("f5")
        await stage.until(lambda: account.asked)
        threshold = stage.app.screen.query_one("#quota-warning-threshold", Input)
        with threshold.prevent(Input.Changed):
            threshold.value = "9"  # the message that tells of it is still on its way
        account.answers.set()
        await stage.settle()
        assert threshold.value == "9"


async def test_an_answer_from_before_a_save_is_not_shown_after_it() -> None:
    async with console() as stage:
        await stage.press("3")
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
    async with console(store) as stage:
        await stage.press("1")
        list(stage.app.screen.query("#providers Button"))[1].focus()
        await stage.press("f5")
        assert stage.app.focused is list(stage.app.screen.query("#providers Button"))[1]


async def test_what_was_typed_ahead_is_not_shown_when_the_session_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console() as stage:

        async def ended() -> None:
            await asyncio.sleep(0.05)
            raise SessionEnded

        monkeypatch.setattr(stage.app.account, "begin_two_factor", ended)
        await burst(stage, "f", PASSWORD)
        assert isinstance(stage.app.screen, SignIn)
        assert stage.app.screen.query_one("#username", Input).value == ""


# -- keys typed ahead of a dialog -----------------------------------------------------------------------------


async def test_a_question_and_its_proof_in_one_piece() -> None:
    async with console() as stage:
        stage.clock.advance(minutes=6)
        await burst(stage, "t", "y", PASSWORD, "<enter>")
        assert isinstance(stage.app.screen, AccessToken), stage.text()


async def test_a_name_typed_ahead_is_in_the_field_it_was_meant_for() -> None:
    async with slow_console("check_deletable") as (stage, account):
        for key in ("x", "tab", "a", "l", "i"):
            stage.app.post_message(Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: account.asked)
        await asyncio.sleep(0.05)
        assert isinstance(stage.app.screen, Console)
        account.answers.set()
        await stage.settle()
        assert isinstance(stage.app.screen, DeleteAccount)
        assert stage.app.screen.query_one("#username", Input).value == "ali"


async def test_what_was_typed_ahead_of_a_dialog_that_takes_long_does_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that is to be typed into Delete Account would ask for a new token with its t, and confirm with its y."""
    store = make_store()
    add_account(store, "toby")
    monkeypatch.setattr(key_order, "_LOOKS_OF_A_HOLD", 5)
    async with slow_console("check_deletable", store=store, name="toby") as (stage, account):
        await stage.settle()
        for key in ("x", "tab", "t", "o", "b", "y", "ctrl+l"):
            stage.app.post_message(Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: stage.app.is_locked)
        assert account.asked == ["check_deletable"]
        account.answers.set()
        await stage.settle()
        assert not any(isinstance(screen, Confirm) for screen in stage.app.screen_stack)


@pytest.mark.parametrize("key", ["s", "f", "t", "a"])
async def test_a_token_under_way_is_shown_whatever_is_pressed_meanwhile(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account makes it all the same, and it is shown once."""
    monkeypatch.setattr(key_order, "_LOOKS_OF_A_HOLD", 5)
    async with slow_console("generate_token") as (stage, account):
        await stage.settle()
        await stage.pilot.press("t")
        await stage.until(lambda: isinstance(stage.app.screen, Confirm))
        await stage.pilot.press("y")
        await stage.until(lambda: account.asked)
        await stage.until(lambda: not stage.app._keys._must_wait)
        await stage.pilot.press(key)
        account.answers.set()
        await stage.until(lambda: isinstance(stage.app.screen, AccessToken))
        await stage.settle()


async def test_one_does_not_leave_before_a_token_under_way_was_seen() -> None:
    async with slow_console("generate_token") as (stage, account):
        await stage.settle()
        await stage.pilot.press("t")
        await stage.until(lambda: isinstance(stage.app.screen, Confirm))
        await stage.pilot.press("y")
        await stage.until(lambda: account.asked)
        stage.app.run_worker(stage.app.ask_and_leave())
        account.answers.set()
        await stage.until(lambda: any(isinstance(screen, AccessToken) for screen in stage.app.screen_stack))
        await stage.until(lambda: stage.says("Close without keeping it?"))
        await stage.press("escape")
        assert isinstance(stage.app.screen, AccessToken)


async def test_new_backup_codes_under_way_are_shown_whatever_is_pressed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_order, "_LOOKS_OF_A_HOLD", 5)
    async with slow_console("renew_backup_codes") as (stage, account):
        await stage.settle()
        enable_two_factor(stage.store, account._token)
        await stage.press("f")
        await stage.click("#renew")
        await stage.pilot.press("y")
        await stage.until(lambda: account.asked)
        await stage.until(lambda: not stage.app._keys._must_wait)
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
        stage.app.screen.query_one("#email-address", Input).value = "alerts@example.com"
        account.answers.set()
        await stage.settle()
        assert stage.app.screen.query_one("#email-address", Input).value == "alerts@example.com"
        assert stage.says("Saved, but for what you typed since.")
        pane = stage.app.screen.query_one(NotificationsPane)
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
        account.answers.set()
        await stage.settle()
        assert account.asked == ["save"]
        assert stage.says("Saved.")


async def test_what_went_wrong_with_two_factor_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console() as stage:

        async def fails() -> None:
            raise DatabaseBusy

        monkeypatch.setattr(stage.app.account, "begin_two_factor", fails)
        await stage.press("f")
        assert stage.says(DatabaseBusy().title)


async def test_a_session_begun_since_can_be_ended() -> None:
    async with console() as stage:
        await stage.press("o")
        assert stage.says("There is no other session.")
        sign_in(stage.store)
        await stage.press("o", "y")
        assert stage.says("1 session was signed out.")


async def test_a_token_made_since_is_warned_of() -> None:
    async with console() as stage:
        stage.store.access_token.generate(sign_in(stage.store))
        await stage.press("t")
        assert stage.says("The present token stops working at once")


async def test_two_tabs_chosen_in_one_piece_show_the_second() -> None:
    async with console() as stage:
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


async def test_the_keys_of_the_page_stay_when_a_button_disables_itself() -> None:
    async with console() as stage:
        sign_in(stage.store)
        await stage.press("f5")
        await stage.click("#others-action")
        await stage.press("y")
        assert stage.says("1 session was signed out.")
        await stage.press("3")
        assert stage.app.screen.query_one(SettingsPage).active == "notifications"


async def test_a_module_switched_early_does_not_switch_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_order, "_LOOKS_OF_A_HOLD", 0)
    dashboard = frozenset({"overview", "api-keys", "usage-logs", "drawing-logs", "task-logs"})
    async with slow_console("load") as (stage, account):
        await stage.settle()
        stage.store.settings.save(sign_in(stage.store), SidebarSettings(dashboard), 1)
        await stage.pilot.press("6")
        await stage.until(lambda: stage.app.screen.query("#module-overview"))
        stage.app.screen.query_one("#module-overview", Toggle).focus()
        await stage.pilot.press("space")
        account.answers.set()
        await stage.settle()
        assert stage.app.screen.query_one(SidebarPane).read().hidden_modules == dashboard - {"overview"}


async def test_keys_go_on_when_no_dialog_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_order, "_LOOKS_OF_A_HOLD", 1_000_000)
    async with console() as stage:

        async def fails() -> None:
            raise DatabaseBusy

        monkeypatch.setattr(stage.app.account, "begin_two_factor", fails)
        await burst(stage, "f", "5")
        await stage.until(lambda: stage.app.screen.query_one(SettingsPage).active == "privacy")
