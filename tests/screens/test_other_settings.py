"""Notifications, Price, Privacy and Sidebar: saving, refusing, conflicts, defaults, and edits that are not lost."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from screens.console import Console
from screens.navigation import Navigation
from screens.reauthenticate import Reauthenticate
from screens.settings.conflict import Conflict
from screens.settings.page import SettingsPage
from screens.settings.section_save import SectionPane
from store.errors import DatabaseBusy
from store.secret_fields import StoredSecret
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.homes import Home
from tests.harness.stores import add_account, make_store, sign_in, sqlite_url, store_with_account
from tui.widgets.confirm import Choice
from tui.widgets.field import Field
from tui.widgets.tab_bar import TabBar
from tui.widgets.toggle import Toggle

pytestmark = pytest.mark.anyio


def stored(stage: Stage) -> tuple[NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings]:
    """The settings as another session of the account loads them."""
    token = sign_in(stage.store, source="observer")
    load = stage.store.settings.load
    return (
        load(token, NotificationSettings).section,
        load(token, PriceSettings).section,
        load(token, PrivacySettings).section,
        load(token, SidebarSettings).section,
    )


async def test_a_price_switch_is_saved_only_with_save(home: Home) -> None:
    async with home.console(press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        assert stage.says("unpredictable costs")
        assert await home.stored(PriceSettings) == PriceSettings(False)
        await stage.press("ctrl+s")
        assert stage.says("Saved.")
        assert await home.stored(PriceSettings) == PriceSettings(True)


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


async def test_what_cannot_be_read_is_shown_beside_what_is_wrong(home: Home) -> None:
    async with home.console(press="3") as stage:
        for control, text in (
            ("quota-warning-threshold", "abc"),
            ("webhook-url", "no address"),
            ("gotify-priority", "99"),
        ):
            await stage.fill(control, text)
        await stage.press("ctrl+s")
        wrong = {field.control.id for field in stage.app.screen.query(Field) if field.error}
        assert wrong == {"quota-warning-threshold", "webhook-url", "gotify-priority"}


async def test_every_error_of_the_form_is_shown_at_once_and_the_first_has_the_focus(home: Home) -> None:
    async with home.console(press="3") as stage:
        await stage.fill("email-address", "not an address")
        await stage.toggle("channel-webhook")
        await stage.toggle("channel-gotify")
        await stage.press("ctrl+s")
        for sentence in (
            "Enter one address",
            "Enter the address the webhook is sent to",
            "Enter the address of your Gotify server",
            "Enter the application token from Gotify",
        ):
            assert stage.says(sentence)
        assert stage.app.focused is stage.app.screen.query_one("#email-address")
        assert await home.stored(NotificationSettings) == NotificationSettings()


@pytest.mark.parametrize("typed", ["1.005", "1e999", "-0", "abc", "", "١"])
async def test_an_amount_that_is_none_is_refused_at_its_field(typed: str) -> None:
    async with console(press="3") as stage:
        await stage.fill("quota-warning-threshold", typed)
        await stage.press("ctrl+s")
        assert stage.says("Enter dollars with up to two decimals")
        assert stored(stage)[0] == NotificationSettings()


async def test_fields_of_a_channel_are_kept_while_it_is_off(home: Home) -> None:
    async with home.console(press="3") as stage:
        await stage.fill("webhook-url", "https://hooks.example.com/quota")
        await stage.press("ctrl+s")
        assert stage.says("Saved.")
        section = await home.stored(NotificationSettings)
        assert not section.webhook_on
        assert section.webhook_url == "https://hooks.example.com/quota"


async def test_a_stored_secret_is_never_shown_and_a_field_left_empty_keeps_it(home: Home) -> None:
    async with home.console(press="3") as stage:
        await stage.toggle("channel-bark")
        await stage.fill("bark-url", "https://api.day.app/devicekey123")
        await stage.press("ctrl+s")
        assert stage.says("Saved.")
        assert "devicekey123" not in stage.text()
        assert stage.app.screen.query_one("#bark-url", Input).value == ""
        await stage.fill("quota-warning-threshold", "2.00")
        await stage.press("ctrl+s")
        assert (await home.stored(NotificationSettings)).bark_url.is_set


async def test_changing_where_warnings_go_asks_who_one_is(home: Home) -> None:
    async with home.console(press="3") as stage:
        stage.clock.advance(minutes=6)
        await stage.fill("email-address", "elsewhere@example.com")
        await stage.press("ctrl+s")
        assert isinstance(stage.app.screen, Reauthenticate)
        await stage.enter("password", home.password)
        assert (await home.stored(NotificationSettings)).email_address == "elsewhere@example.com"


async def test_a_lower_threshold_asks_who_one_is_and_a_higher_one_does_not(home: Home) -> None:
    async with home.console(press="3") as stage:
        stage.clock.advance(minutes=6)
        await stage.fill("quota-warning-threshold", "9.00")
        await stage.press("ctrl+s")
        assert (await home.stored(NotificationSettings)).threshold_micro_usd == 9_000_000
        await stage.fill("quota-warning-threshold", "8.99")
        await stage.press("ctrl+s")
        assert isinstance(stage.app.screen, Reauthenticate)
        assert stage.says("Confirm your identity to lower the quota warning threshold.")
        assert (await home.stored(NotificationSettings)).threshold_micro_usd == 9_000_000
        await stage.enter("password", home.password)
        assert (await home.stored(NotificationSettings)).threshold_micro_usd == 8_990_000


async def test_switching_one_of_two_channels_off_asks_who_one_is() -> None:
    async with console() as stage:
        elsewhere(stage, webhook_on=True, webhook_url="https://hooks.example.com/quota")
        await stage.press("3")
        stage.clock.advance(minutes=6)
        await stage.toggle("channel-webhook")
        await stage.press("ctrl+s")
        assert isinstance(stage.app.screen, Reauthenticate)
        assert stage.says("Confirm your identity to switch a notification channel off.")
        assert stored(stage)[0].webhook_on
        await stage.enter("password", PASSWORD)
        assert not stored(stage)[0].webhook_on


async def test_giving_up_the_proof_keeps_what_was_typed() -> None:
    async with console(press="3") as stage:
        stage.clock.advance(minutes=6)
        await stage.fill("email-address", "elsewhere@example.com")
        await stage.press("ctrl+s")
        await stage.press("escape")
        assert stage.app.screen.query_one("#email-address", Input).value == "elsewhere@example.com"
        assert "3•" in stage.text()
        assert stored(stage)[0].email_address == ""


async def meet(home: Home, stage: Stage, **changes: object) -> None:
    """Save the threshold as 9.00, after another console has saved `changes`."""
    await stage.press("3")
    await stage.fill("quota-warning-threshold", "9.00")
    await home.save_elsewhere(NotificationSettings, **changes)
    await stage.press("ctrl+s")
    assert isinstance(stage.app.screen, Conflict)


def elsewhere(stage: Stage, **changes: object) -> None:
    token = sign_in(stage.store, source="other")
    saved = stage.store.settings.load(token, NotificationSettings)
    stage.store.settings.save(token, replace(saved.section, **changes), saved.version)  # type: ignore[arg-type]


async def test_a_newer_version_is_shown_field_by_field(home: Home) -> None:
    async with home.console() as stage:
        await meet(home, stage, threshold_micro_usd=3_000_000, email_address="theirs@example.com")
        assert stage.says("(•) mine $9.00 ( ) saved $3.00")
        await stage.click("#save")
        section = await home.stored(NotificationSettings)
        assert section.threshold_micro_usd == 9_000_000
        assert section.email_address == "theirs@example.com"


async def test_what_only_the_other_side_changed_stays_stored(home: Home) -> None:
    async with home.console() as stage:
        await meet(home, stage, email_address="theirs@example.com")
        await stage.click("#save")
        section = await home.stored(NotificationSettings)
        assert section.email_address == "theirs@example.com"
        assert section.threshold_micro_usd == 9_000_000


async def test_what_only_the_other_side_changed_can_be_taken_back(home: Home) -> None:
    async with home.console() as stage:
        await meet(home, stage, email_address="theirs@example.com")
        await stage.toggle("keep-email_address")
        await stage.click("#save")
        assert (await home.stored(NotificationSettings)).email_address == ""


async def test_a_secret_that_only_the_other_side_changed_is_no_choice(home: Home) -> None:
    """The value stored before is not known here: taking "yours" could not bring it back."""
    async with home.console() as stage:
        await meet(home, stage, gotify_token=StoredSecret().replaced("AbCdEfGhIjKlMnOp"))
        assert not stage.app.screen.query("#keep-gotify_token")
        await stage.click("#save")
        section = await home.stored(NotificationSettings)
        assert section.gotify_token.is_set
        assert section.threshold_micro_usd == 9_000_000


async def test_a_second_conflict_keeps_the_choices_of_the_first(home: Home) -> None:
    async with home.console() as stage:
        await meet(home, stage, email_address="theirs@example.com")
        await home.save_elsewhere(NotificationSettings, threshold_micro_usd=2_000_000)
        await stage.click("#save")
        assert isinstance(stage.app.screen, Conflict)
        await stage.click("#save")
        section = await home.stored(NotificationSettings)
        assert (section.threshold_micro_usd, section.email_address) == (9_000_000, "theirs@example.com")


@pytest.mark.parametrize("length", [120, 2000])
async def test_both_values_of_a_conflict_can_be_read(length: int) -> None:
    def address(end: str) -> str:
        return "https://hooks.example.org/".ljust(length - len(end), "a") + end

    async with console(press="3") as stage:
        await stage.fill("webhook-url", address("/mine"))
        elsewhere(stage, webhook_url=address("/theirs"))
        await stage.press("ctrl+s")
        assert isinstance(stage.app.screen, Conflict)
        seen = "".join(stage._texts()[0].replace("│", " ").split())
        assert "savedhttps://hooks.example.org/aaa" in seen
        assert "minehttps://hooks.example.org/aaa" in seen
        assert "a/theirs" in seen
        assert "a/mine" in seen
        assert stage.says("Back esc Take all that is saved t Save this choice ^s")


async def test_going_back_from_a_conflict_keeps_the_form() -> None:
    async with console(press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        token = sign_in(stage.store, source="other")
        saved = stage.store.settings.load(token, PriceSettings)
        stage.store.settings.save(token, PriceSettings(False), saved.version)
        await stage.press("ctrl+s")
        assert isinstance(stage.app.screen, Conflict)
        await stage.press("escape")
        assert stage.app.screen.query_one("#accept-unpriced-models", Toggle).value
        assert "4•Price" in stage.text()


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


async def test_reset_keeps_stored_secrets_and_says_so() -> None:
    async with console(press="3") as stage:
        await stage.fill("gotify-token", "AbCdEfGhIjKlMnOp")
        await stage.fill("quota-warning-threshold", "2.00")
        await stage.press("ctrl+s")
        before = stage.app.screen.query_one("#gotify-token", Input).placeholder
        assert "MnOp" in before
        await stage.click("#notifications #reset")
        assert stage.says("These are the defaults; stored secrets are kept. Save to keep them.")
        assert stage.app.screen.query_one("#gotify-token", Input).placeholder == before
        await stage.press("ctrl+s")
        section = stored(stage)[0]
        assert section.gotify_token.is_set
        assert section.threshold_micro_usd == NotificationSettings().threshold_micro_usd


async def test_the_help_of_the_threshold_fits_its_line() -> None:
    async with console(press="3") as stage:
        await stage.focus("#quota-warning-threshold")
        assert stage.says("falls below this amount in USD.")


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
                stage.app.screen.action_open_module("overview")  # type: ignore[attr-defined] # the console's
                await stage.settle()
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
        stage.app.screen.action_open_module("wallet")  # type: ignore[attr-defined] # the console's
        await stage.settle()
        assert stage.says("$5.00 left")


async def test_a_module_the_administrator_hides_cannot_be_shown(home: Home) -> None:
    home.hide_module("drawing-logs")
    async with home.console(press="6") as stage:
        switch = stage.app.screen.query_one("#module-drawing-logs", Toggle)
        assert switch.disabled
        assert stage.says("Drawing Logs ●━ hidden by admin")
        assert stage.says("Task Logs ━● shown")


async def test_a_price_switch_that_the_administrator_overrides_says_so_and_keeps_what_is_stored() -> None:
    store = store_with_account()
    store.settings.save(sign_in(store), PriceSettings(True), 1)
    store.site.set("price.unpriced", "forbid")
    sentence = "The administrator of this site refuses models without a price; this switch has no effect here."
    async with console(store, press="4") as stage:
        switch = stage.app.screen.query_one("#accept-unpriced-models", Toggle)
        assert switch.disabled
        assert stage.says("Accept Models Without Price Settings ●━ refused by admin")
        assert stage.says(sentence)
        assert not stage.says("are allowed")
        assert stored(stage)[1] == PriceSettings(True)
        store.site.set("price.unpriced", "account")
        await stage.press("5", "4")
        assert not switch.disabled
        assert stage.says("Accept Models Without Price Settings ━● on")
        assert stage.says("Calls to models without configured pricing are allowed.")
        assert not stage.says(sentence)


async def test_stored_addresses_are_counted_and_erased(home: Home) -> None:
    for _ in range(3):
        home.record_call("203.0.113.7")
    async with home.console(press="5") as stage:
        assert stage.says("Log entries with an IP 3")
        await stage.click("#erase-ips")
        await stage.press("y")
        assert stage.says("Erased from 3 log entries")
        assert stage.says("Log entries with an IP 0")


async def test_models_without_a_price_are_listed() -> None:
    store = make_store()
    account = add_account(store)
    with pytest.raises(Exception, match="has no price"):
        store.pricing.admit(account.id, "mystery-[red]model")
    async with console(store, press="4") as stage:
        assert stage.says("mystery-[red]model")


async def test_a_busy_database_is_told_and_what_was_typed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(press="3") as stage:
        await stage.fill("quota-warning-threshold", "4.00")

        def busy(*_: object, **__: object) -> None:
            raise DatabaseBusy

        monkeypatch.setattr(stage.store.settings, "save", busy)
        await stage.press("ctrl+s")
        assert stage.says("The database is busy")
        assert stage.app.screen.query_one("#quota-warning-threshold", Input).value == "4.00"
        assert "3•" in stage.text()


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


async def test_tabs_are_reached_by_digit_bracket_and_page_key() -> None:
    async with console() as stage:
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
