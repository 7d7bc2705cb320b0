"""Notification Configuration: the quota warning, its channels, test messages and the last delivery of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.settings.channel_section import ChannelSection
from screens.settings.confirm_email import ConfirmEmail
from screens.settings.section_save import SectionPane
from screens.settings.setting_controls import ChannelSwitch, make_field
from store.money import show_usd
from store.sections import Channel, NotificationSettings, settings_of_channel
from store.setting_fields import Setting, settings_of
from store.text import sanitize
from store.values.notifications import CONFIRM_EMAIL, DeliveryState
from tui.widgets.action_button import ActionButton
from tui.widgets.field import Field
from tui.widgets.section import Section
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from collections.abc import Iterable

_ONCE: Final = "one warning per fall"
_PURPOSE: Final = (
    "Notification settings define how the system alerts you when your remaining quota reaches a threshold."
)


class NotificationsPane(SectionPane[NotificationSettings]):
    KIND = NotificationSettings
    RESET_SENTENCE = "These are the defaults; stored secrets are kept."
    HELP_TEXT = (
        "Notification settings define how the system alerts you when your remaining quota reaches a threshold. When it "
        "falls below, one warning goes out on every channel that is on, and again only after a top-up or a new "
        "threshold. A channel's fields are kept while it is off. Changing where warnings go, a lower threshold and "
        "switching a channel off ask for your password."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+g",
            "generate",
            "Generate secret",
            id="webhook.generate",
            show=False,
            tooltip="Generate a webhook secret, which Save stores",
        ),
    ]

    _unconfirmed = ""
    """The notification address that waits for its code."""

    def compose(self) -> ComposeResult:
        can = self.account.capabilities
        with Section("Quota warning", id="quota-warning"):
            for setting in settings_of(NotificationSettings):
                if not setting.channel:
                    yield make_field(setting)
            if sentence := self._limits_sentence():
                yield Static(sentence, id="warning-limits", classes="consequence muted", markup=False)
        for channel in Channel:
            switch, *others = settings_of_channel(channel)
            test = ActionButton("Send test", id=f"send-test-{channel}", name=channel, classes="send-test at-right")
            beside = () if can.no_test_message else (test,)
            lacking = [each for each in others if each.name == "bark_encryption_key" and can.no_bark_encryption]
            for each in lacking:  # the form reads and fills it all the same
                field = make_field(each)
                field.display = False
                yield field
            rows = (make_field(switch, *beside), *(self._field(each) for each in others if each not in lacking))
            yield ChannelSection(channel, switch.group, *rows, test_button=test)
        yield self.save_row()
        yield Notice()

    def on_mount(self) -> None:
        if self.account.capabilities.asks_no_proof:
            for field in self.query(Field):
                field.consequence = _without_proof(field.consequence)

    @property
    def purpose(self) -> str:
        can = self.account.capabilities
        limits = (can.one_channel, can.warnings_repeat)
        return " ".join(filter(None, (_PURPOSE, *limits))) if any(limits) else self.HELP_TEXT

    def _limits_sentence(self) -> str:
        can = self.account.capabilities
        limits = (
            *(can.one_channel, can.warnings_repeat, can.no_test_message),
            *(can.no_delivery_report, can.no_bark_encryption),
        )
        return " ".join(filter(None, limits))

    def _field(self, setting: Setting) -> Field:
        if setting.name == "email_address":
            return make_field(setting, ActionButton("Enter code", id="enter-code", classes="-hidden"))
        if setting.name == "webhook_secret":
            return make_field(setting, ActionButton("Generate", id="generate-secret", shortcut="^g"))
        return make_field(setting)

    def _section(self, channel: Channel) -> ChannelSection:
        return self.query_one(f"#{channel}-section", ChannelSection)

    # -- folding -----------------------------------------------------------------------------------------------

    def fill(self, section: NotificationSettings) -> None:
        super().fill(section)
        for line in self.query("#warning-limits").results(Static):
            line.update(self._limits_sentence())  # whether fields are kept is known once they were read
        self._fold()

    @on(Toggle.Changed)
    def one_at_a_time(self, event: Toggle.Changed) -> None:
        """Switch the other channels off, where only one can be on."""
        if not (event.value and self.account.capabilities.one_channel and self.saved is not None):
            return
        for section in self.query(ChannelSection):
            if section.switch is not event.toggle:
                section.switch.value = False

    def note_edit(self) -> None:
        super().note_edit()
        for setting in self.edited_settings:
            if setting.channel:
                self._section(Channel(setting.channel)).is_entered = True
        self._fold()

    def shown(self) -> None:
        focused = self.screen.focused
        for section in self.query(ChannelSection):
            section.is_entered = focused is not None and section in focused.ancestors
        super().shown()
        self.note_edit()

    def _fold(self) -> None:
        for section in self.query(ChannelSection):
            section.fold()

    @on(ChannelSwitch.Entered)
    def entered(self, event: ChannelSwitch.Entered) -> None:
        section = event.switch.query_ancestor(ChannelSection)
        section.enter()

    def reveal(self, controls: Iterable[str]) -> None:
        for control in controls:
            for widget in self.query(f"#{control}") if control else ():
                for section in widget.ancestors:
                    if isinstance(section, ChannelSection):
                        section.is_entered = True
                        section.fold()

    def focus_control(self, control: str) -> None:
        self.reveal([control])
        super().focus_control(control)

    # -- the account -------------------------------------------------------------------------------------------

    async def loaded(self) -> None:
        await self._show_account()
        await self._show_email_route()
        if self.account.capabilities.no_delivery_report:
            return
        deliveries = await self.fetch(self.account.last_deliveries)
        if deliveries is not None:
            for section in self.query(ChannelSection):
                section.show_delivery(deliveries.value.get(section.channel), self.account.now())

    async def _show_account(self) -> None:
        summary = await self.fetch(self.account.summary)
        if summary is None:
            return
        email = sanitize(summary.value.email)
        placeholder = f"{email}, of your account" if email else "none is bound to your account"
        self.query_one("#email-address", Input).placeholder = placeholder
        left, threshold = summary.value.remaining_micro_usd, summary.value.threshold_micro_usd
        colour = "$text-error" if left < threshold else "$text-warning" if left < 2 * threshold else "$text-success"
        unit = self.query_one("#quota-warning-threshold").query_ancestor(Field).query_one(Static)
        unit.update(Content.assemble("USD of ", (show_usd(left), colour), " left"))
        self.query_one("#quota-warning", Section).state = Content.styled(
            "" if self.account.capabilities.warnings_repeat else _ONCE, "$foreground-muted"
        )

    # -- test messages -----------------------------------------------------------------------------------------

    @property
    def _focused_channel(self) -> ChannelSection | None:
        focused = self.screen.focused
        ancestors = focused.ancestors if focused is not None else []
        return next((node for node in ancestors if isinstance(node, ChannelSection)), None)

    def can_test(self) -> bool | None:
        if self.account.capabilities.no_test_message:
            return False
        section = self._focused_channel
        return None if section is None or section.is_sending else True

    def test(self) -> None:
        section = self._focused_channel
        if section is not None:
            self.send_test(section.channel)

    @on(Button.Pressed, ".send-test")
    def test_pressed(self, event: Button.Pressed) -> None:
        self.send_test(Channel(event.button.name or ""))

    @work(group="test")
    async def send_test(self, channel: Channel) -> None:
        section = self._section(channel)
        if section.is_sending or self.account.capabilities.no_test_message:
            return
        if self.dirty:
            self.say("Save your changes first; a test is sent to what is stored.", "warning")
            return
        self.say("")
        section.begin_test()
        self.refresh_bindings()
        outcome = await self.run_with_reauth(lambda: self.account.send_test(channel))
        section.end_test()
        self.refresh_bindings()
        if outcome is None:
            await self.loaded()
            return
        delivery = outcome.value
        section.show_delivery(delivery, self.account.now())
        if delivery.state is DeliveryState.DELIVERED:
            self.say(f"The test message was sent: {section.switch.query_ancestor(Field).title}.", "good")
        if delivery.kind == CONFIRM_EMAIL:
            await self._show_email_route()
            if delivery.state is DeliveryState.DELIVERED and self.app.screen is self.screen:
                await self._ask_for_code()

    # -- the notification address ------------------------------------------------------------------------------

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
        outcome = await self.fetch(self.account.email_route)
        if outcome is None:
            return
        route = outcome.value
        self._unconfirmed = route.unconfirmed
        self.query_one("#enter-code").set_class(not route.is_code_out, "-hidden")
        field = self.query_one("#email-address").query_ancestor(Field)
        meanwhile = f": {sanitize(route.address, 120)}" if route.address else " no warning goes out by e-mail."
        note = f"Not confirmed: Send test sends a code. Until then{meanwhile}" if route.unconfirmed else ""
        field.note = Content.styled(note, "$text-warning")

    # -- the secret of the webhook -----------------------------------------------------------------------------

    @on(Button.Pressed, "#generate-secret")
    def action_generate(self) -> None:
        self.run_exclusive(self._generate_secret)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "generate":
            return self._section(Channel.WEBHOOK).is_open
        return super().check_action(action, parameters)

    async def _generate_secret(self) -> None:
        from screens.settings.webhook_secret import WebhookSecret

        made = await self.run_with_reauth(self.account.new_webhook_secret, holds_input=True)
        if made is None:
            return
        self.query_one("#webhook-secret", Input).value = made.value
        await self.app.push_screen_wait(WebhookSecret(made.value))
        self.say("The new secret is in the form. Save stores it.", "muted")


def _without_proof(consequence: str) -> str:
    """The sentences of a consequence that say nothing of a password."""
    sentences = consequence.split(". ")
    return ". ".join(sentence for sentence in sentences if "asks for your password" not in sentence)
