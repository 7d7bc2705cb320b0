"""Saving the Notifications tab: what is refused, what needs a proof, and secrets that are kept."""

import pytest
from textual.widgets import Input

from screens.reauthenticate import Reauthenticate
from store.errors import DatabaseBusy
from store.sections import NotificationSettings
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.homes import Home
from tests.harness.stored_sections import save_elsewhere, stored_section
from tui.widgets.field import Field


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
        assert stored_section(stage, NotificationSettings) == NotificationSettings()


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


async def test_switching_one_of_two_channels_off_asks_who_one_is(stage: Stage) -> None:
    save_elsewhere(stage, webhook_on=True, webhook_url="https://hooks.example.com/quota")
    await stage.press("3")
    stage.clock.advance(minutes=6)
    await stage.toggle("channel-webhook")
    await stage.press("ctrl+s")
    assert isinstance(stage.app.screen, Reauthenticate)
    assert stage.says("Confirm your identity to switch a notification channel off.")
    assert stored_section(stage, NotificationSettings).webhook_on
    await stage.enter("password", PASSWORD)
    assert not stored_section(stage, NotificationSettings).webhook_on


async def test_giving_up_the_proof_keeps_what_was_typed() -> None:
    async with console(press="3") as stage:
        stage.clock.advance(minutes=6)
        await stage.fill("email-address", "elsewhere@example.com")
        await stage.press("ctrl+s")
        await stage.press("escape")
        assert stage.app.screen.query_one("#email-address", Input).value == "elsewhere@example.com"
        assert "3•" in stage.text()
        assert stored_section(stage, NotificationSettings).email_address == ""


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
        section = stored_section(stage, NotificationSettings)
        assert section.gotify_token.is_set
        assert section.threshold_micro_usd == NotificationSettings().threshold_micro_usd


async def test_the_help_of_the_threshold_fits_its_line() -> None:
    async with console(press="3") as stage:
        await stage.focus("#quota-warning-threshold")
        assert stage.says("falls below this amount in USD.")


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
