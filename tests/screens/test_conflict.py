"""A save that meets a newer version: both values of each field, and the choice between them."""

import pytest

from screens.settings.conflict import Conflict
from store.secret_fields import StoredSecret
from store.sections import NotificationSettings, PriceSettings
from tests.harness.consoles import Stage, console
from tests.harness.homes import Home
from tests.harness.stored_sections import save_elsewhere
from tests.harness.stores import sign_in
from tui.widgets.toggle import Toggle


async def meet(home: Home, stage: Stage, **changes: object) -> None:
    """Save the threshold as 9.00, after another console has saved `changes`."""
    await stage.press("3")
    await stage.fill("quota-warning-threshold", "9.00")
    await home.save_elsewhere(NotificationSettings, **changes)
    await stage.press("ctrl+s")
    assert isinstance(stage.app.screen, Conflict)


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
        save_elsewhere(stage, webhook_url=address("/theirs"))
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
