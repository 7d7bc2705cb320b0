"""The Notifications tab: folded channels, test messages, the last delivery, and the secrets."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Button, Input

from gateway import dispatcher
from screens.settings.channel_section import ChannelSection
from screens.settings.notifications import NotificationsPane
from screens.settings.page import SettingsPage
from screens.settings.webhook_secret import WebhookSecret
from store.secret_fields import check_webhook_secret
from store.sections import Channel, NotificationSettings
from store.store import Store
from tests.harness.consoles import Stage, console
from tests.harness.homes import Home
from tests.harness.slow_accounts import slow_console
from tests.harness.stored_sections import stored_section
from tests.harness.stores import add_account, make_store, sign_in
from tests.snapshots.scenes import notified_store
from tui.widgets.section import Section
from tui.widgets.stored_secret import StoredSecretInput
from tui.widgets.toggle import Toggle

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def section(stage: Stage, channel: Channel) -> ChannelSection:
    return stage.app.screen.query_one(f"#{channel}-section", ChannelSection)


def rows(stage: Stage, channel: Channel) -> int:
    return sum(row.display for row in section(stage, channel).children)


def with_secrets(**changes: object) -> Store:
    store = make_store()
    account = add_account(store)
    empty = NotificationSettings()
    section = replace(
        empty,
        webhook_on=True,
        webhook_url="https://hooks.example.com/quota",
        webhook_secret=empty.webhook_secret.replaced(SECRET),
    )
    store.settings.save_for(account.id, replace(section, **changes), 1, actor="test")  # type: ignore[arg-type]
    return store


async def store_a_secret(home: Home) -> None:
    """Let the webhook be the one channel, with a secret."""
    empty = NotificationSettings().webhook_secret
    await home.save_elsewhere(
        NotificationSettings,
        email_on=False,
        webhook_on=True,
        webhook_url="https://hooks.example.com/quota",
        webhook_secret=empty.replaced(SECRET),
    )


@pytest.fixture(autouse=True)
def _nothing_leaves_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test message is refused at once, in place of the network, which has tests of its own."""

    async def deliver_now(store: Store, delivery_id: int) -> None:
        (job,) = store.outbox.lease(delivery_id=delivery_id)
        store.outbox.failed(job, "hooks.example.com refused the connection.", None)

    monkeypatch.setattr(dispatcher, "deliver_now", deliver_now)


# -- folding ----------------------------------------------------------------------------------------------------


async def test_a_channel_that_is_off_is_one_row_until_it_is_turned_on() -> None:
    async with console(press="3") as stage:
        assert [rows(stage, channel) for channel in Channel] == [2, 1, 1, 1]
        assert stage.says("○ Bark")
        await stage.focus("#channel-bark")
        await stage.press("space")
        assert rows(stage, Channel.BARK) == 3
        assert stage.says("● Bark")
        await stage.press("space")
        assert stage.says("○ Bark")
        assert rows(stage, Channel.BARK) == 3, "it does not fold under the hand"


async def test_enter_on_the_row_of_a_channel_opens_its_fields_and_does_not_turn_it_on(home: Home) -> None:
    async with home.console(press="3") as stage:
        await stage.focus("#channel-gotify")
        await stage.press("enter")
        assert stage.app.focused is stage.app.screen.query_one("#gotify-url")
        assert not stage.app.screen.query_one("#channel-gotify", Toggle).value
        assert rows(stage, Channel.GOTIFY) == 4
        await stage.press("escape", "4", "3")
        assert rows(stage, Channel.GOTIFY) == 1


async def test_edited_fields_of_a_channel_stay_visible(home: Home) -> None:
    async with home.console(press="3") as stage:
        await stage.focus("#channel-gotify")
        await stage.press("enter")
        await stage.type("https://gotify.example.com")
        await stage.press("escape", "4", "3")
        assert rows(stage, Channel.GOTIFY) == 4
        assert stage.app.screen.query_one("#gotify-url", Input).value == "https://gotify.example.com"


async def test_an_error_in_a_folded_channel_opens_it() -> None:
    async with console(press="3") as stage:
        await stage.fill("gotify-url", "http://127.0.0.1/")
        section(stage, Channel.GOTIFY).is_entered = False
        section(stage, Channel.GOTIFY).fold()
        await stage.press("ctrl+s")
        assert stage.app.focused is stage.app.screen.query_one("#gotify-url")
        assert stage.says("127.0.0.1 lies in a private network. The administrator can allow it by host and port.")
        assert stored_section(stage, NotificationSettings).gotify_url == ""
        stage.store.site.set("channels.private_network_allow", "127.0.0.1:80")
        await stage.press("ctrl+s")
        assert stage.says("Saved. Gotify server: http://127.0.0.1/")


async def test_a_setting_of_a_folded_channel_can_be_gone_to(stage: Stage) -> None:
    await stage.app.screen.query_one(SettingsPage).go_to("notifications", "gotify-token")
    await stage.settle()
    assert stage.app.focused is stage.app.screen.query_one("#gotify-token")


async def test_the_first_picture_waits_for_no_field_that_it_does_not_show() -> None:
    async with slow_console("load") as (stage, account):
        await stage.settle()
        inputs, stock = list[list[str | None]](), stage.app._display

        def display(screen: Screen[Any], renderable: Any) -> None:
            if renderable is not None:
                inputs.extend([each.id for each in pane.query(Input)] for pane in screen.query(NotificationsPane))
            stock(screen, renderable)

        stage.app._display = display  # type: ignore[method-assign]
        await stage.pilot.press("3")
        await stage.until(lambda: stage.app.screen.query("#gotify-priority"))
        assert inputs[0] == ["quota-warning-threshold"]
        assert account.asked == ["load"], "they come before the answer, too"
        await account.answer(stage)
        assert stage.app.screen.query_one("#gotify-priority", Input).value == "5"


async def test_everything_of_two_channels_fits_a_terminal_of_24_rows() -> None:
    async with console(notified_store(), press="3") as stage:
        pane = stage.app.screen.query_one(NotificationsPane)
        assert pane.max_scroll_y == 0
        for words in ("Quota warning", "Email", "Webhook", "Bark", "Gotify", "Save Settings", "Reset to Default"):
            assert stage.says(words)


# -- the edge of a section ----------------------------------------------------------------------------------------


async def test_the_threshold_stands_beside_what_is_left(home: Home) -> None:
    async with home.console(press="3") as stage:
        assert stage.says("USD of $5.00 left")
        assert stage.app.screen.query_one("#quota-warning", Section).state.plain == "one warning per fall"


async def test_the_last_delivery_is_in_the_edge_of_its_channel() -> None:
    async with console(notified_store(), press="3") as stage:
        assert section(stage, Channel.EMAIL).state.plain == "sent 3 h ago ✓"
        assert section(stage, Channel.BARK).state.plain == ""
        text = f"{section(stage, Channel.WEBHOOK).state.plain} {stage.text()}"
        assert "✗" in text
        assert "next try in 8 min" in text
        assert stage.says("hooks.example.com answered 404 Not Found")


@pytest.mark.parametrize("width", [60, 80, 100, 160])
async def test_a_failed_delivery_is_told_in_full_at_any_width(width: int) -> None:
    error = "hooks.example.com answered 503 Service Unavailable, and went on to say a good deal more than that."
    store = with_secrets()
    (job,) = store.outbox.lease(delivery_id=store.outbox.enqueue_test(sign_in(store), Channel.WEBHOOK))
    store.outbox.failed(job, error, None)
    async with console(store, size=(width, 40), press="3") as stage:
        place = section(stage, Channel.WEBHOOK).region
        lines = [line[place.x + 1 : place.right - 1] for line in stage.text().split("\n")[place.y : place.bottom]]
        assert error.rstrip(".") in " ".join(" ".join(lines).split())


# -- test messages ------------------------------------------------------------------------------------------------


async def test_a_test_goes_out_on_the_channel_of_the_focused_row() -> None:
    async with slow_console("send_test", store=with_secrets()) as (stage, account):
        await stage.settle()
        await stage.press("3")
        page = stage.app.screen.query_one(SettingsPage)
        assert page.check_action("test", ()) is None, "no channel has the focus"
        await stage.focus("#channel-webhook")
        assert page.check_action("test", ()) is True
        await stage.pilot.press("T")
        await stage.until(lambda: account.asked)
        assert section(stage, Channel.WEBHOOK).state.plain == "sending…"
        assert page.check_action("test", ()) is None, "one is under way"
        await stage.pilot.press("T")
        await account.answer(stage)
        assert account.asked == ["send_test"]
        assert stage.app.focused is stage.app.screen.query_one("#channel-webhook")
        assert "✗" in section(stage, Channel.WEBHOOK).state.plain


async def test_the_button_of_a_test_keeps_the_focus_while_it_runs() -> None:
    async with slow_console("send_test", store=with_secrets()) as (stage, account):
        await stage.settle()
        await stage.press("3")
        await stage.focus("#send-test-webhook")
        await stage.pilot.press("enter")
        await stage.until(lambda: account.asked)
        button = stage.app.screen.query_one("#send-test-webhook", Button)
        assert button.disabled
        assert stage.app.focused is button
        await account.answer(stage)
        assert not button.disabled
        assert stage.app.focused is button


async def test_no_test_is_sent_of_what_is_not_saved(home: Home) -> None:
    async with home.console(press="3") as stage:
        await stage.fill("quota-warning-threshold", "2")
        await stage.focus("#channel-email")
        await stage.press("T")
        assert stage.says("Save your changes first; a test is sent to what is stored.")


# -- secrets ------------------------------------------------------------------------------------------------------


async def test_a_stored_secret_is_cleared_by_an_act_of_its_own_that_can_be_undone(home: Home) -> None:
    await store_a_secret(home)
    async with home.console(press="3") as stage:
        field = stage.app.screen.query_one("#webhook-secret", StoredSecretInput)
        assert field.placeholder == f"stored …{SECRET[-4:]} · type to replace"
        await stage.focus("#webhook-secret")
        await stage.press("ctrl+x")
        assert stage.says("will be cleared on save")
        assert stage.says("1 unsaved change")
        await stage.press("ctrl+x")
        assert stage.says("type to replace")
        assert not stage.says("unsaved")
        await stage.press("ctrl+x", "ctrl+s")
        assert stage.says("Saved. Webhook secret: cleared")
        assert not (await home.stored(NotificationSettings)).webhook_secret.is_set
        assert field.placeholder == "none"


async def test_a_space_clears_no_secret(home: Home) -> None:
    await store_a_secret(home)
    async with home.console(press="3") as stage:
        await stage.focus("#webhook-secret")
        await stage.press("space")
        assert not stage.says("unsaved")
        await stage.press("ctrl+s")
        assert (await home.stored(NotificationSettings)).webhook_secret.is_set


async def test_typing_after_the_mark_replaces_the_secret(home: Home) -> None:
    await store_a_secret(home)
    async with home.console(press="3") as stage:
        await stage.focus("#webhook-secret")
        await stage.press("ctrl+x")
        await stage.type("whsec_" + base64.b64encode(b"n" * 32).decode())
        assert not stage.app.screen.query_one("#webhook-secret", StoredSecretInput).is_cleared
        await stage.press("ctrl+s")
        assert stage.says("Saved. Webhook secret: replaced")


async def test_a_mark_that_was_discarded_comes_back(home: Home) -> None:
    await store_a_secret(home)
    async with home.console(press="3") as stage:
        await stage.focus("#webhook-secret")
        await stage.press("ctrl+x", "escape", "u")
        assert not stage.says("will be cleared on save")
        await stage.press("u")
        assert stage.says("will be cleared on save")


async def test_there_is_nothing_to_clear_where_no_secret_is_stored() -> None:
    async with console(press="3") as stage:
        await stage.focus("#channel-webhook")
        await stage.press("enter")
        await stage.focus("#webhook-secret")
        await stage.press("ctrl+x")
        assert not stage.says("unsaved")
        assert not stage.says("Clear")


async def test_a_needed_secret_of_a_channel_that_is_on_cannot_be_cleared() -> None:
    empty = NotificationSettings()
    store = with_secrets(bark_on=True, bark_url=empty.bark_url.replaced("https://api.day.app/devicekey123"))
    async with console(store, press="3") as stage:
        await stage.focus("#bark-url")
        await stage.press("ctrl+x", "ctrl+s")
        assert stage.says("Enter the address the Bark app shows.")
        assert stored_section(stage, NotificationSettings).bark_url.is_set


async def test_a_webhook_secret_is_generated_shown_once_and_saved() -> None:
    async with console(press="3") as stage:
        page = stage.app.screen.query_one(NotificationsPane)
        assert page.check_action("generate", ()) is False
        await stage.focus("#channel-webhook")
        await stage.press("enter", "ctrl+g")
        dialog = stage.app.screen
        assert isinstance(dialog, WebhookSecret)
        secret = dialog._secret
        check_webhook_secret(secret, "webhook_secret")
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
        assert secret not in stage.text()
        await stage.press("space", "escape")
        assert stage.app.screen.query_one("#webhook-secret", Input).value == secret
        assert secret not in stage.text()
        assert stage.says("Save stores it")
        await stage.press("ctrl+s")
        with stage.store.database.read() as tx:
            assert stage.store.settings.secret(tx, stage.store.accounts.find("alice").id, "webhook_secret") == secret


async def test_two_generated_secrets_differ(stage: Stage) -> None:
    made = {await stage.app.account.new_webhook_secret() for _ in range(20)}
    assert len(made) == 20
