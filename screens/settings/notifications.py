"""Notification Configuration: when to warn, and over which of four channels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.relative_time import ago, until
from screens.settings.confirm_email import ConfirmEmail
from screens.settings.panes import SectionPane
from store import inputs
from store.email_route import CONFIRM_EMAIL
from store.errors import InvalidInput
from store.money import parse_usd, type_usd
from store.secret_fields import StoredSecret
from store.sections import Channel, NotificationSettings
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.field import Field
from tui.widgets.help_line import HelpLine
from tui.widgets.secret_input import SecretInput
from tui.widgets.text_input import TextInput
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from store.outbox import LastDelivery

_NAMES: Final = {
    Channel.EMAIL: "Email",
    Channel.WEBHOOK: "Webhook",
    Channel.BARK: "Bark",
    Channel.GOTIFY: "Gotify",
}
_SECRETS: Final = (
    ("webhook-secret", "webhook_secret"),
    ("bark-url", "bark_url"),
    ("bark-encryption-key", "bark_encryption_key"),
    ("gotify-token", "gotify_token"),
)
_EMAIL_HELP: Final = "Empty: the email bound to your account is used."


class NotificationsPane(SectionPane[NotificationSettings]):
    KIND = NotificationSettings
    LABELS: ClassVar = {
        "threshold_micro_usd": "Quota Warning Threshold",
        "email_on": "Email",
        "email_address": "Notification email",
        "webhook_on": "Webhook",
        "webhook_url": "Webhook address",
        "webhook_secret": "Webhook secret",
        "bark_on": "Bark",
        "bark_url": "Bark address",
        "bark_encryption_key": "Bark encryption key",
        "gotify_on": "Gotify",
        "gotify_url": "Gotify server",
        "gotify_token": "Gotify token",
        "gotify_priority": "Gotify priority",
    }
    _unconfirmed = ""
    """The notification address that waits for its code."""
    RESET_SENTENCE = "These are the defaults; stored secrets are kept."
    HELP_TEXT = (
        "When the remaining quota falls below the threshold, one warning goes out on every channel that is on. It is "
        "sent once per crossing, and again only after a top-up or a new threshold. A channel's fields are kept while "
        "it is off. Changing where warnings go, a lower threshold and switching a channel off ask for your password."
    )

    def compose(self) -> ComposeResult:
        yield Field(
            "Quota Warning Threshold",
            TextInput(id="quota-warning-threshold", max_length=16),
            Static("USD", classes="muted"),
            help="A notification is sent when remaining quota falls below this amount in USD.",
            classes="short-control",
        )
        yield from self._channel(Channel.EMAIL)
        yield Field(
            "  Notification email",
            TextInput(id="email-address"),
            ActionButton("Enter code", id="enter-code", classes="-hidden"),
            help=_EMAIL_HELP,
        )
        yield from self._channel(Channel.WEBHOOK)
        yield Field("  Address", TextInput(id="webhook-url"), help="Receives a signed JSON message by HTTP POST.")
        yield Field(
            "  Secret",
            SecretInput(id="webhook-secret"),
            help="whsec_ and base64: signs each message (Standard Webhooks). A space clears it.",
        )
        yield from self._channel(Channel.BARK)
        yield Field(
            "  Address with key", SecretInput(id="bark-url"), help="The address the Bark app shows, with its key."
        )
        yield Field(
            "  Encryption key",
            SecretInput(id="bark-encryption-key"),
            help="As set in the Bark app: 16, 24 or 32 characters, CBC. A space clears it.",
        )
        yield from self._channel(Channel.GOTIFY)
        yield Field("  Server", TextInput(id="gotify-url"), help="Such as https://gotify.example.com")
        yield Field("  Application token", SecretInput(id="gotify-token"), help="From Gotify: Apps, Create.")
        yield Field(
            "  Priority",
            TextInput(id="gotify-priority", max_length=2),
            Static("0 to 10", classes="muted"),
            help="How loudly Gotify announces it, 0 to 10.",
            classes="short-control",
        )
        yield Notice()
        yield self.save_row()

    def _channel(self, channel: Channel) -> ComposeResult:
        yield Field(
            _NAMES[channel],
            Toggle(id=f"channel-{channel}"),
            ActionButton("Send test", id=f"send-test-{channel}", name=channel.value, classes="send-test"),
            Static("", id=f"last-{channel}", markup=False, classes="muted last-delivery"),
            classes="channel",
            help=_help(channel),
        )

    # -- the section -----------------------------------------------------------------------------------------

    def read(self) -> NotificationSettings:
        return self._section(self._threshold(), self._priority())

    def problems(self) -> dict[str, str]:
        known, found, numbers = self._known(), {}, []
        for read, otherwise in (
            (self._threshold, known.threshold_micro_usd),
            (self._priority, known.gotify_priority),
        ):
            try:
                numbers.append(read())
            except InvalidInput as error:
                found[error.field] = str(error)
                numbers.append(otherwise)
        return {problem.field: str(problem) for problem in self._section(*numbers).problems()} | found

    def _known(self) -> NotificationSettings:
        return self.saved.section if self.saved is not None else NotificationSettings()

    def _threshold(self) -> int:
        """Micro-USD. Raises `InvalidMoney`."""
        return parse_usd(self._text("quota-warning-threshold"), field="quota-warning-threshold")

    def _priority(self) -> int:
        """Raises `InvalidNumber`."""
        return inputs.check_whole(self._text("gotify-priority"), 0, 10, field="gotify-priority")

    def _section(self, threshold: int, priority: int) -> NotificationSettings:
        known = self._known()
        return NotificationSettings(
            threshold_micro_usd=threshold,
            email_on=self._is_on(Channel.EMAIL),
            email_address=self._text("email-address").strip(),
            webhook_on=self._is_on(Channel.WEBHOOK),
            webhook_url=self._text("webhook-url").strip(),
            webhook_secret=self._secret("webhook-secret", known.webhook_secret),
            bark_on=self._is_on(Channel.BARK),
            bark_url=self._secret("bark-url", known.bark_url),
            bark_encryption_key=self._secret("bark-encryption-key", known.bark_encryption_key),
            gotify_on=self._is_on(Channel.GOTIFY),
            gotify_url=self._text("gotify-url").strip(),
            gotify_token=self._secret("gotify-token", known.gotify_token),
            gotify_priority=priority,
        )

    def fill(self, section: NotificationSettings) -> None:
        texts = {
            "quota-warning-threshold": type_usd(section.threshold_micro_usd),
            "email-address": section.email_address,
            "webhook-url": section.webhook_url,
            "gotify-url": section.gotify_url,
            "gotify-priority": str(section.gotify_priority),
        }
        for name, text in texts.items():
            self.query_one(f"#{name}", Input).value = text
        switches = {
            Channel.EMAIL: section.email_on,
            Channel.WEBHOOK: section.webhook_on,
            Channel.BARK: section.bark_on,
            Channel.GOTIFY: section.gotify_on,
        }
        for channel, is_on in switches.items():
            self.query_one(f"#channel-{channel}", Toggle).value = is_on
        for name, attribute in _SECRETS:
            secret: StoredSecret = getattr(section, attribute)
            control = self.query_one(f"#{name}", SecretInput)
            control.clear()
            control.placeholder = f"stored ({sanitize(secret.hint)}); type to replace" if secret.is_set else "none"
        self._show_account_email()

    def defaults(self) -> NotificationSettings:
        """The defaults, but for the secrets: those are cleared only by hand."""
        known = self._known()
        return replace(
            NotificationSettings(),
            webhook_secret=known.webhook_secret,
            bark_url=known.bark_url,
            bark_encryption_key=known.bark_encryption_key,
            gotify_token=known.gotify_token,
        )

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value

    def _is_on(self, channel: Channel) -> bool:
        return self.query_one(f"#channel-{channel}", Toggle).value

    def _secret(self, name: str, known: StoredSecret) -> StoredSecret:
        typed = self._text(name)
        # A field left empty keeps what is stored; a lone space is how a person says "nothing".
        return known if not typed else known.replaced(typed.strip())

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
        """It is disabled while a test is under way, and its line says so."""
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
        """Say whether the notification address waits for its code, and where warnings go meanwhile."""
        outcome = await self.run_with_reauth(self.account.email_route)
        if outcome is None:
            return
        route = outcome.value
        self._unconfirmed = route.unconfirmed
        self.query_one("#enter-code").set_class(not route.is_code_out, "-hidden")
        field = self.query_one("#email-address").query_ancestor(Field)
        if not route.unconfirmed:
            field.help = _EMAIL_HELP
        elif route.address:
            field.help = sanitize(f"Not confirmed: Send test sends a code. Until then: {route.address}", 120)
        else:
            field.help = "Not confirmed: Send test sends a code. Until then no warning goes out by e-mail."

    def _show_delivery(self, channel: Channel, delivery: LastDelivery | None) -> None:
        line = self.query_one(f"#last-{channel}", Static)
        # The line beside the button may be too short for what went wrong.
        self.query_one(f"#channel-{channel}").query_ancestor(Field).help = (
            sanitize(delivery.error) if delivery is not None and delivery.error else _help(channel)
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


def _help(channel: Channel) -> str:
    return f"Whether warnings are sent by {_NAMES[channel]}. Its fields are kept while it is off."
