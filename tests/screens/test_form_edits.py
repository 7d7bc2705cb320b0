"""Edits of a form: their number, discarding them and bringing them back, and what is said of a save."""

import pytest
from textual.widgets import Button, Input

from screens.settings.page import SettingsPage
from screens.settings.setting_controls import control_id
from store.sections import NotificationSettings, PriceSettings, PrivacySettings
from store.setting_fields import settings_of
from tests.harness.consoles import Stage, console
from tests.harness.homes import Home
from tests.harness.slow_accounts import slow_console
from tests.harness.stores import sign_in, store_with_account
from tui import input_queue
from tui.widgets.context_panel import ContextPanel
from tui.widgets.field import Field
from tui.widgets.toggle import Toggle


def value_of(stage: Stage, control: str) -> str:
    return stage.app.screen.query_one(f"#{control}", Input).value


async def test_the_settings_that_differ_are_counted(home: Home) -> None:
    async with home.console(press="3") as stage:
        assert not stage.says("unsaved")
        await stage.fill("quota-warning-threshold", "2.00")
        assert stage.says("1 unsaved change")
        await stage.fill("quota-warning-threshold", "not a number")
        await stage.toggle("channel-email")
        assert stage.says("2 unsaved changes")
        await stage.toggle("channel-email")
        await stage.fill("quota-warning-threshold", "1")
        assert not stage.says("unsaved")


async def test_edits_are_discarded_and_brought_back_by_the_same_key(home: Home) -> None:
    async with home.console(press="3") as stage:
        await stage.fill("quota-warning-threshold", "2.00")
        await stage.fill("webhook-url", "https://hooks.example.com/x")
        await stage.fill("gotify-token", "AbCdEfGhIjKlMnOp")
        await stage.toggle("channel-webhook")
        assert stage.says("4 unsaved changes")
        await stage.press("u")
        assert stage.says("Edits discarded. u brings them back.")
        assert not stage.says("unsaved")
        assert value_of(stage, "quota-warning-threshold") == "1.00"
        assert value_of(stage, "gotify-token") == ""
        assert "3•" not in stage.text()
        await stage.press("u")
        assert stage.says("4 unsaved changes")
        assert value_of(stage, "quota-warning-threshold") == "2.00"
        assert value_of(stage, "gotify-token") == "AbCdEfGhIjKlMnOp"
        assert stage.app.screen.query_one("#channel-webhook", Toggle).value
        await stage.press("ctrl+s")
        assert (await home.stored(NotificationSettings)).webhook_url == "https://hooks.example.com/x"


async def test_discarded_edits_come_back_by_the_button_too(home: Home) -> None:
    async with home.console(press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        await stage.click("#price #discard")
        assert not stage.app.screen.query_one("#accept-unpriced-models", Toggle).value
        assert stage.says("Bring back u")
        await stage.click("#price #discard")
        assert stage.app.screen.query_one("#accept-unpriced-models", Toggle).value


async def test_what_is_edited_after_a_discard_is_not_overwritten() -> None:
    async with console(press="3") as stage:
        page = stage.app.screen.query_one(SettingsPage)
        await stage.fill("quota-warning-threshold", "2.00")
        stage.app.screen.query_one("#settings-tabs").focus()
        await stage.press("u")
        assert page.check_action("bring_back", ()) is True
        assert page.check_action("discard", ()) is False
        await stage.fill("quota-warning-threshold", "3.00")
        assert page.check_action("bring_back", ()) is False
        await stage.press("u")
        assert value_of(stage, "quota-warning-threshold") == "1.00"


async def test_the_key_of_a_discard_that_was_remapped_is_the_one_that_is_told() -> None:
    async with console(keys={"tab.discard": "f9"}, press="4") as stage:
        await stage.toggle("accept-unpriced-models")
        await stage.press("f9")
        assert stage.says("Edits discarded. f9 brings them back.")
        await stage.press("f9")
        assert stage.app.screen.query_one("#accept-unpriced-models", Toggle).value


async def test_reset_has_a_key(home: Home) -> None:
    await home.save_elsewhere(PriceSettings, accept_unpriced_models=True)
    async with home.console() as stage:
        await stage.press("4", "R")
        assert stage.says("These are the defaults. Save to keep them.")
        assert stage.says("1 unsaved change")
        assert not stage.app.screen.query_one("#accept-unpriced-models", Toggle).value


async def test_a_save_says_what_it_changed_until_the_next_edit(home: Home) -> None:
    async with home.console(press="3") as stage:
        await stage.fill("quota-warning-threshold", "2.50")
        await stage.fill("webhook-secret", "whsec_" + "A" * 43 + "=")
        await stage.toggle("channel-email")
        await stage.press("ctrl+s")
        assert stage.says("Saved. Quota Warning Threshold: $2.50 · Send by e-mail: off · Webhook secret: replaced")
        await stage.fill("quota-warning-threshold", "3")
        assert not stage.says("Saved.")


async def test_a_save_of_the_sidebar_names_the_hidden_modules(home: Home) -> None:
    async with home.console(press="6") as stage:
        await stage.toggle("module-wallet")
        await stage.press("ctrl+s")
        assert stage.says("Saved. Hidden: Wallet.")


async def test_enter_in_a_field_goes_to_the_next_row() -> None:
    async with console(press="3") as stage:
        await stage.focus("#quota-warning-threshold")
        await stage.press("enter")
        assert stage.app.focused is stage.app.screen.query_one("#channel-email")


async def test_a_form_that_was_not_read_yet_shows_no_value() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_queue, "HOLD_TIMEOUT_S", 0.0)
        async with slow_console("load", "summary") as (stage, account):
            for key, label in (
                ("4", "Accept Models Without Price Settings"),
                ("5", "Record Request and Error Log IP"),
                ("6", "Personal Center Area"),
                ("3", "Send by e-mail"),
            ):
                await stage.pilot.press(key)
                await stage.until(lambda label=label: stage.says(f"{label} …"))  # type: ignore[misc]
                for word in ("━●", "●━", "━◐━", "shown"):
                    assert word not in stage.text()
            await account.answer(stage)
            assert stage.says("Send by e-mail ━● on")


async def test_the_panel_says_what_a_setting_does_and_when_it_was_changed() -> None:
    store = store_with_account()
    store.settings.save(sign_in(store), PriceSettings(True), 1)
    store.context.clock.advance(hours=12 * 24)  # type: ignore[attr-defined] # the still clock of the tests
    async with console(store, size=(120, 44), press="4") as stage:
        await stage.focus("#accept-unpriced-models")
        assert stage.app.screen.query_one(ContextPanel).border_title == "Accept Models Without Price Settings"
        assert stage.says("When enabled, calls to models without configured pricing are allowed.")
        assert stage.says("This setting should only be enabled when you fully understand the billing implications.")
        assert stage.says("Last changed 12 days ago.")
        await stage.toggle("accept-unpriced-models")
        await stage.press("ctrl+s")
        assert stage.says("Last changed just now.")


@pytest.mark.parametrize("size", [(100, 34), (120, 40), (160, 50)])
async def test_the_panel_holds_all_that_there_is_to_say(size: tuple[int, int]) -> None:
    async with console(size=size) as stage:
        for tab, kind in (("5", PrivacySettings), ("4", PriceSettings), ("3", NotificationSettings)):
            await stage.press(tab)
            for setting in settings_of(kind):
                pane = stage.app.screen.query_one(SettingsPage).pane
                pane.focus_control(control_id(setting))
                await stage.settle()
                panel = stage.app.screen.query_one(ContextPanel).region
                seen = " ".join(line[panel.x + 1 : panel.right - 1].strip() for line in stage.text().split("\n"))
                for part in (*setting.about.split("\n\n"), setting.consequence):
                    assert part in seen, setting.name


async def test_every_field_has_the_words_of_its_setting() -> None:
    async with console(press="3") as stage:
        fields = {field.title: field for field in stage.app.screen.query("#notifications Field").results(Field)}
        for setting in settings_of(NotificationSettings):
            field = fields[setting.title]
            assert (field.help, field.about, field.consequence) == (setting.help, setting.about, setting.consequence)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (160, 50)])
async def test_a_long_error_wraps_and_nothing_of_it_is_cut(size: tuple[int, int]) -> None:
    async with console(size=size, press="3") as stage:
        await stage.fill("webhook-url", "https://hooks.example.com:8443/quota")
        await stage.press("ctrl+s")
        place = stage.app.screen.query_one("#webhook-section").region
        lines = [line[place.x + 1 : place.right - 1] for line in stage.text().split("\n")[place.y : place.bottom]]
        sentence = "✗ Port 8443 of hooks.example.com is not 80 or 443. The administrator can allow it by host and port."
        assert sentence in " ".join(" ".join(lines).replace("▌", " ").split())
        assert stage.app.focused is stage.app.screen.query_one("#webhook-url")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 50)])
@pytest.mark.parametrize("tab", ["3", "4", "5", "6"])
async def test_buttons_and_controls_stay_inside_the_page(tab: str, size: tuple[int, int]) -> None:
    async with console(size=size) as stage:
        await stage.press(tab)
        pane = stage.app.screen.query_one(SettingsPage).pane
        for control in (*pane.query(Button), *pane.query(Toggle), *pane.query(Input)):
            if control.display and control.region.width:
                assert control.region.x >= pane.region.x, control
                assert control.region.right <= pane.region.right, control
