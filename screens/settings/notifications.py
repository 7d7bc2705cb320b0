"""Notification Configuration: the quota warning, its channels, test messages and the last delivery of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.relative_time import ago, until
from screens.settings.confirm_email import ConfirmEmail
from screens.settings.section_save import SectionPane
from screens.settings.setting_controls import make_field
from store.sections import Channel, NotificationSettings
from store.setting_fields import Setting, settings_of
from store.text import sanitize
from store.values.notifications import CONFIRM_EMAIL
from tui.widgets.action_button import ActionButton
from tui.widgets.field import Field
from tui.widgets.help_line import HelpLine

if TYPE_CHECKING:
    from store.values.notifications import LastDelivery


class NotificationsPane(SectionPane[NotificationSettings]):
    KIND = NotificationSettings
    _unconfirmed = ""
    """The notification address that waits for its code."""
    RESET_SENTENCE = "These are the defaults; stored secrets are kept."
    HELP_TEXT = (
        "When the remaining quota falls below the threshold, one warning goes out on every channel that is on. It is "
        "sent once per crossing, and again only after a top-up or a new threshold. A channel's fields are kept while "
        "it is off. Changing where warnings go, a lower threshold and switching a channel off ask for your password."
    )

    def compose(self) -> ComposeResult:
        for setting in settings_of(NotificationSettings):
            yield self._field(setting)
        yield Notice()
        yield self.save_row()

    def _field(self, setting: Setting) -> Field:
        if setting.is_channel_switch:
            return make_field(
                setting,
                ActionButton("Send test", id=f"send-test-{setting.channel}", name=setting.channel, classes="send-test"),
                Static("", id=f"last-{setting.channel}", markup=False, classes="muted last-delivery"),
                classes="channel",
            )
        if setting.name == "email_address":
            return make_field(setting, ActionButton("Enter code", id="enter-code", classes="-hidden"))
        return make_field(setting)

    def fill(self, section: NotificationSettings) -> None:
        super().fill(section)
        self._show_account_email()

    def _show_account_email(self) -> None:
        self.run_worker(self._read_account_email, group="email", exclusive=True)

    async def _read_account_email(self) -> None:
        summary = await self.run_with_reauth(self.account.summary)
        if summary is not None:
            email = sanitize(summary.value.email) or "none is bound to your account"
            self.query_one("#email-address", Input).placeholder = email

    # -- delivery --------------------------------------------------------------------------------------------

    async def loaded(self) -> None:
        await self._show_email_route()
        deliveries = await self.run_with_reauth(self.account.last_deliveries)
        if deliveries is not None:
            for channel in Channel:
                if not self._test_button(channel).disabled:
                    self._show_delivery(channel, deliveries.value.get(channel))

    def _test_button(self, channel: Channel) -> Button:
        """The button of a channel. It is disabled while a test is under way."""
        return self.query_one(f"#send-test-{channel}", Button)

    @on(Button.Pressed, ".send-test")
    def test_pressed(self, event: Button.Pressed) -> None:
        self.send_test(Channel(event.button.name or ""))

    @work(group="test")
    async def send_test(self, channel: Channel) -> None:
        if self.dirty:
            self.say("Save your changes first; a test is sent to what is stored.", "warning")
            return
        button = self._test_button(channel)
        button.disabled = True
        self.query_one(f"#last-{channel}", Static).update("sending…")
        outcome = await self.run_with_reauth(lambda: self.account.send_test(channel))
        button.disabled = False
        if outcome is None:
            await self.loaded()
            return
        delivery = outcome.value
        self._show_delivery(channel, delivery)
        if delivery.kind == CONFIRM_EMAIL:
            await self._show_email_route()
            if delivery.state.value == "delivered" and self.app.screen is self.screen:
                await self._ask_for_code()

    @on(Button.Pressed, "#enter-code")
    def enter_code_pressed(self) -> None:
        self.run_exclusive(self._ask_for_code)

    async def _ask_for_code(self) -> None:
        if not self._unconfirmed:
            return
        address = self._unconfirmed
        if await self.app.push_screen_wait(ConfirmEmail(address)):
            self.say(f"Confirmed. Warnings go to {sanitize(address, 60)} from now on.", "good")
        await self._show_email_route()

    async def _show_email_route(self) -> None:
        """Show whether the notification address waits for its code, and where warnings go meanwhile."""
        outcome = await self.run_with_reauth(self.account.email_route)
        if outcome is None:
            return
        route = outcome.value
        self._unconfirmed = route.unconfirmed
        self.query_one("#enter-code").set_class(not route.is_code_out, "-hidden")
        field = self.query_one("#email-address").query_ancestor(Field)
        if not route.unconfirmed:
            field.help = _help("email_address")
        elif route.address:
            field.help = sanitize(f"Not confirmed: Send test sends a code. Until then: {route.address}", 120)
        else:
            field.help = "Not confirmed: Send test sends a code. Until then no warning goes out by e-mail."

    def _show_delivery(self, channel: Channel, delivery: LastDelivery | None) -> None:
        line = self.query_one(f"#last-{channel}", Static)
        # The line beside the button may be too short for the whole error.
        self.query_one(f"#channel-{channel}").query_ancestor(Field).help = (
            sanitize(delivery.error) if delivery is not None and delivery.error else _help(f"{channel}_on")
        )
        for help_line in self.screen.query(HelpLine):
            help_line.read_again()
        if delivery is None:
            line.update("")
            return
        now = self.account.now()
        match delivery.state.value:
            case "delivered":
                line.update(f"delivered {ago(delivery.at, now)}")
                kind = "good"
            case "failed" | "damaged":
                line.update(f"failed {ago(delivery.at, now)}: {sanitize(delivery.error, 80)}")
                kind = "bad"
            case _:
                due = until(delivery.next_attempt_at, now) if delivery.next_attempt_at else "soon"
                why = f": {sanitize(delivery.error, 60)}" if delivery.error else ""
                line.update(f"next try {due}{why}")
                kind = "warning"
        line.set_classes(f"last-delivery field-beside {kind}")


def _help(name: str) -> str:
    return next(setting.help for setting in settings_of(NotificationSettings) if setting.name == name)
