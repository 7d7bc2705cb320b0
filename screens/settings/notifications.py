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

    from textual.widget import AwaitMount, Widget

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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self._under_way: list[AwaitMount] = []
        """Mounts that have begun. `complete` waits for them."""

    def compose(self) -> ComposeResult:
        with Section("Quota warning", id="quota-warning"):
            for setting in settings_of(NotificationSettings):
                if not setting.channel:
                    yield self._field(setting)
            if sentence := self._limits_sentence():
                yield Static(sentence, id="warning-limits", classes="consequence muted", markup=False)
        for channel in Channel:
            switch, *others = settings_of_channel(channel)
            for setting in others:  # the form reads and fills what the account lacks all the same
                if self._is_lacking(setting):
                    field = self._field(setting)
                    field.display = False
                    yield field
            yield ChannelSection(channel, switch.group, self._field(switch))
        yield self.save_row()
        yield Notice()

    async def complete(self) -> None:
        self._mount_fields()
        under_way = self._under_way
        for mount in under_way:
            await mount
        self._under_way = [mount for mount in self._under_way if mount not in under_way]

    def _mount_fields(self) -> None:
        can = self.account.capabilities
        for section in self._sections:
            if section.is_whole or not section.is_attached:
                continue
            settings = settings_of_channel(section.channel)[1:]
            fields = [self._field(setting) for setting in settings if not self._is_lacking(setting)]
            test = ActionButton(
                "Send test", id=f"send-test-{section.channel}", name=section.channel, classes="send-test at-right"
            )
            self._under_way += section.add(fields, None if can.no_test_message else test)

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
        beside: tuple[Widget, ...] = ()
        if setting.name == "email_address":
            beside = (ActionButton("Enter code", id="enter-code", classes="-hidden"),)
        elif setting.name == "webhook_secret":
            beside = (ActionButton("Generate", id="generate-secret", shortcut="^g"),)
        field = make_field(setting, *beside)
        if self.account.capabilities.asks_no_proof:
            field.consequence = _without_proof(field.consequence)
        return field

    def _is_lacking(self, setting: Setting) -> bool:
        return setting.name == "bark_encryption_key" and bool(self.account.capabilities.no_bark_encryption)

    @property
    def _sections(self) -> list[ChannelSection]:
        return [child for child in self.children if isinstance(child, ChannelSection)]

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
        for section in self._sections:
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
        for section in self._sections:
            section.is_entered = focused is not None and section in focused.ancestors
        super().shown()
        self.note_edit()
        # Nineteen widgets that are hidden until a channel is on or entered: the first picture does not wait for them.
        self.call_after_refresh(self._mount_fields)

    def _fold(self) -> None:
        for section in self._sections:
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
            for section in self._sections:
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
        from screens.settings.confirm_email import ConfirmEmail

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
