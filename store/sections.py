"""The four settings sections, as the values that a form shows and saves, with the declaration of each setting."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from store.errors import InvalidMoney, InvalidUrl
from store.money import MAXIMUM_MICRO_USD, MICRO_PER_USD
from store.other_sections import PriceSettings, PrivacySettings, SidebarSettings
from store.secret_fields import StoredSecret, check_bark_encryption_key, check_gotify_token, check_webhook_secret
from store.setting_fields import Setting, SettingsSection, SettingType, declare, settings_of

__all__ = [
    "NAMES",
    "Channel",
    "NotificationSettings",
    "PriceSettings",
    "PrivacySettings",
    "Section",
    "SidebarSettings",
    "settings_of_channel",
]

DEFAULT_THRESHOLD: Final = MICRO_PER_USD
_WARNING: Final = (
    "When your remaining quota falls below the threshold, one warning goes out on every channel that is on."
)
_SWITCH_CONSEQUENCE: Final = "Its fields are kept while it is off. Switching a channel off asks for your password."
_TARGET_CONSEQUENCE: Final = "Changing where warnings go asks for your password."
_SEALED_CONSEQUENCE: Final = "Stored encrypted and never shown again. A change asks for your password."


class Channel(StrEnum):
    """The notification channels. Each has a switch `<channel>_on` among the settings."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    BARK = "bark"
    GOTIFY = "gotify"


def _check_threshold(micro_usd: int, field: str) -> None:
    if not 0 <= micro_usd <= MAXIMUM_MICRO_USD:
        raise InvalidMoney("A threshold lies between 0 and 1,000,000,000 dollars.", field=field)


def _check_no_query(url: str, field: str) -> None:
    if "?" in url:
        sentence = "Leave the question mark and what follows out. The token has a field of its own."
        raise InvalidUrl(sentence, field=field)


def _check_bark_url(url: str, field: str) -> None:
    from store.bark_address import parse_bark_url  # the form is shown without it

    parse_bark_url(url, field)


def _channel_switch(
    channel: Channel, name: str, *, title: str = "", by: str = "", about: str = "", is_on: bool = False
) -> bool:
    """The switch of a channel. `by` is its name within a sentence, if that is not `name`."""
    return declare(
        is_on,
        Setting(
            type=SettingType.SWITCH,
            channel=channel,
            group=name,
            title=title or f"Send by {name}",
            help=f"Whether warnings are sent by {by or name}. Its fields are kept while it is off.",
            about=f"{about}\n\n{_WARNING}" if about else _WARNING,
            consequence=_SWITCH_CONSEQUENCE,
            summary=f"warn by {by or name}: true or false",
        ),
    )


@dataclass(frozen=True, slots=True)
class NotificationSettings(SettingsSection):
    """The threshold of the quota warning, and its channels. A channel's fields are kept while it is off."""

    threshold_micro_usd: int = declare(
        DEFAULT_THRESHOLD,
        Setting(
            type=SettingType.MONEY,
            title="Quota Warning Threshold",
            help="A notification is sent when remaining quota falls below this amount in USD.",
            about="The quota warning threshold, expressed as an equivalent USD amount. If set to $1.00, the system "
            "sends a notification when remaining quota falls below that value.\n\n"
            "This configuration helps prevent unexpected service interruption due to depleted balance.",
            consequence="One warning is sent per fall below it; the next one only after a top-up or a new threshold. A "
            "lower threshold asks for your password.",
            summary="warn when less than this many dollars is left",
            checks=(_check_threshold,),
            if_lowered="lower the quota warning threshold",
            command_name="threshold",
            api_name="threshold_usd",
        ),
    )
    email_on: bool = _channel_switch(
        Channel.EMAIL,
        "Email",
        title="Send by e-mail",
        by="e-mail",
        about="Sends the warning as an e-mail. If no custom notification email is specified, the system uses the email "
        "bound to your account.",
        is_on=True,
    )
    email_address: str = declare(
        "",
        Setting(
            type=SettingType.EMAIL,
            channel=Channel.EMAIL,
            title="Notification email",
            help="Empty: the email bound to your account is used.",
            about="The address that warnings are sent to. If no custom notification email is specified, the system "
            "uses the email bound to your account.",
            consequence="Another address is used once it is confirmed: the test message brings the code for it. "
            + _TARGET_CONSEQUENCE,
            summary="where to; empty: the address bound to the account",
        ),
    )
    webhook_on: bool = _channel_switch(
        Channel.WEBHOOK,
        "Webhook",
        title="Send to a webhook",
        by="webhook",
        about="Sends the warning to a program of yours, as a JSON message by HTTP POST.",
    )
    webhook_url: str = declare(
        "",
        Setting(
            type=SettingType.ADDRESS,
            channel=Channel.WEBHOOK,
            title="Webhook address",
            label="Address",
            help="Receives a signed JSON message by HTTP POST.",
            about="The address that receives the message: a JSON document by HTTP POST, signed with the secret below "
            "as in Standard Webhooks.",
            consequence="It has to be on the public internet, unless the administrator allows its host and port. "
            + _TARGET_CONSEQUENCE,
            summary="the webhook's address",
            needed="Enter the address the webhook is sent to.",
        ),
    )
    webhook_secret: StoredSecret = declare(
        StoredSecret(),
        Setting(
            type=SettingType.TEXT,
            is_secret=True,
            channel=Channel.WEBHOOK,
            title="Webhook secret",
            label="Secret",
            help="whsec_ and base64: signs each message, so that the receiver knows it is yours.",
            about="The key that signs each message, so that the receiver can tell that it comes from here (Standard "
            "Webhooks). Give the receiver the same secret.",
            consequence=f"Without a secret, messages are not signed. {_SEALED_CONSEQUENCE}",
            summary="whsec_ and 24 to 64 bytes of base64",
            checks=(check_webhook_secret,),
        ),
    )
    bark_on: bool = _channel_switch(
        Channel.BARK, "Bark", about="Sends the warning as a push message to an iPhone, through a Bark server."
    )
    bark_url: StoredSecret = declare(
        StoredSecret(),
        Setting(
            type=SettingType.ADDRESS,
            is_secret=True,
            channel=Channel.BARK,
            title="Bark address",
            label="Address with key",
            help="The address the Bark app shows, with its key.",
            about="The address that the Bark app shows, with your device key in it, such as https://api.day.app/KEY. "
            "Options of the push, such as the sound or the level, may follow it.",
            consequence=f"Whoever knows the key can push to your device. {_SEALED_CONSEQUENCE}",
            summary="the address the Bark app shows, with its key",
            checks=(_check_bark_url,),
            needed="Enter the address the Bark app shows.",
        ),
    )
    bark_encryption_key: StoredSecret = declare(
        StoredSecret(),
        Setting(
            type=SettingType.TEXT,
            is_secret=True,
            has_hint=False,
            channel=Channel.BARK,
            title="Bark encryption key",
            label="Encryption key",
            help="As set in the Bark app: 16, 24 or 32 characters, CBC.",
            about="The key set in the Bark app for encrypted pushes: 16, 24 or 32 characters, in the mode CBC.",
            consequence=f"Without a key, the Bark server can read the pushes. {_SEALED_CONSEQUENCE}",
            summary="the key set in the Bark app for encrypted pushes",
            checks=(check_bark_encryption_key,),
        ),
    )
    """Without a key, pushes are readable by the Bark server."""
    gotify_on: bool = _channel_switch(
        Channel.GOTIFY, "Gotify", about="Sends the warning to an application on your Gotify server."
    )
    gotify_url: str = declare(
        "",
        Setting(
            type=SettingType.ADDRESS,
            channel=Channel.GOTIFY,
            title="Gotify server",
            label="Server",
            help="Such as https://gotify.example.com",
            about="The address of your Gotify server, such as https://gotify.example.com.",
            consequence="It has to be on the public internet, unless the administrator allows its host and port. "
            + _TARGET_CONSEQUENCE,
            summary="the Gotify server's address",
            checks=(_check_no_query,),
            needed="Enter the address of your Gotify server.",
        ),
    )
    gotify_token: StoredSecret = declare(
        StoredSecret(),
        Setting(
            type=SettingType.TEXT,
            is_secret=True,
            channel=Channel.GOTIFY,
            title="Gotify token",
            label="Application token",
            help="From Gotify: Apps, Create.",
            about="The token of an application on your Gotify server. Create one there, under Apps.",
            consequence=f"Whoever knows the token can send messages in its name. {_SEALED_CONSEQUENCE}",
            summary="the application token from Gotify",
            checks=(check_gotify_token,),
            needed="Enter the application token from Gotify.",
        ),
    )
    gotify_priority: int = declare(
        5,
        Setting(
            type=SettingType.WHOLE_NUMBER,
            channel=Channel.GOTIFY,
            title="Gotify priority",
            label="Priority",
            help="Priority, 0 silent to 10 urgent.",
            about="Priority, 0 silent to 10 urgent. Gotify's apps show a message of priority 0 without a sound, or not "
            "at all.",
            consequence="A lower priority asks for your password.",
            summary="0 to 10",
            lowest=0,
            highest=10,
            # Gotify's apps show a message of priority 0 without a sound or not at all.
            if_lowered="lower the priority of Gotify messages",
        ),
    )

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that are on."""
        return tuple(channel for channel in Channel if self.is_on(channel))


Section = NotificationSettings | PriceSettings | PrivacySettings | SidebarSettings
NAMES: Final[Mapping[type[Section], str]] = {
    NotificationSettings: "notifications",
    PriceSettings: "price",
    PrivacySettings: "privacy",
    SidebarSettings: "sidebar",
}
"""Every section and its name, in the order of the page."""


def settings_of_channel(channel: Channel) -> tuple[Setting, ...]:
    """The settings of one channel; its switch is the first."""
    return tuple(setting for setting in settings_of(NotificationSettings) if setting.channel == channel)
