"""The four settings sections, as the values that a form shows and saves, with the declaration of each setting."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from store import inputs
from store.bark_address import parse_bark_url
from store.errors import InvalidMoney, InvalidSetting, InvalidUrl
from store.modules import MODULES
from store.money import MAXIMUM_MICRO_USD, MICRO_PER_USD
from store.secret_fields import StoredSecret, check_bark_encryption_key, check_gotify_token, check_webhook_secret
from store.setting_fields import Setting, SettingsSection, SettingType, declare, settings_of

DEFAULT_THRESHOLD: Final = MICRO_PER_USD


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


def _check_modules(names: frozenset[str], _field: str) -> None:
    unknown = sorted(names - set(MODULES))
    if unknown:
        raise InvalidSetting(inputs.did_you_mean(unknown[0], MODULES).replace("setting", "module"))


def _channel_switch(channel: Channel, name: str, *, by: str = "", is_on: bool = False) -> bool:
    """The switch of a channel. `by` is its name within a sentence, if that is not `name`."""
    return declare(
        is_on,
        Setting(
            type=SettingType.SWITCH,
            channel=channel,
            title=name,
            help=f"Whether warnings are sent by {name}. Its fields are kept while it is off.",
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
            summary="warn when less than this many dollars is left",
            checks=(_check_threshold,),
            if_lowered="lower the quota warning threshold",
            command_name="threshold",
            api_name="threshold_usd",
        ),
    )
    email_on: bool = _channel_switch(Channel.EMAIL, "Email", by="e-mail", is_on=True)
    email_address: str = declare(
        "",
        Setting(
            type=SettingType.EMAIL,
            channel=Channel.EMAIL,
            title="Notification email",
            help="Empty: the email bound to your account is used.",
            summary="where to; empty: the address bound to the account",
        ),
    )
    webhook_on: bool = _channel_switch(Channel.WEBHOOK, "Webhook", by="webhook")
    webhook_url: str = declare(
        "",
        Setting(
            type=SettingType.ADDRESS,
            channel=Channel.WEBHOOK,
            title="Webhook address",
            label="Address",
            help="Receives a signed JSON message by HTTP POST.",
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
            help="whsec_ and base64: signs each message (Standard Webhooks). A space clears it.",
            summary="whsec_ and 24 to 64 bytes of base64",
            checks=(check_webhook_secret,),
        ),
    )
    bark_on: bool = _channel_switch(Channel.BARK, "Bark")
    bark_url: StoredSecret = declare(
        StoredSecret(),
        Setting(
            type=SettingType.ADDRESS,
            is_secret=True,
            channel=Channel.BARK,
            title="Bark address",
            label="Address with key",
            help="The address the Bark app shows, with its key.",
            summary="the address the Bark app shows, with its key",
            checks=(parse_bark_url,),
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
            help="As set in the Bark app: 16, 24 or 32 characters, CBC. A space clears it.",
            summary="the key set in the Bark app for encrypted pushes",
            checks=(check_bark_encryption_key,),
        ),
    )
    """Without a key, pushes are readable by the Bark server."""
    gotify_on: bool = _channel_switch(Channel.GOTIFY, "Gotify")
    gotify_url: str = declare(
        "",
        Setting(
            type=SettingType.ADDRESS,
            channel=Channel.GOTIFY,
            title="Gotify server",
            label="Server",
            help="Such as https://gotify.example.com",
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
            help="How loudly Gotify announces it, 0 to 10.",
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


@dataclass(frozen=True, slots=True)
class PriceSettings(SettingsSection):
    """True if calls to models without a price are let through."""

    accept_unpriced_models: bool = declare(
        False,
        Setting(
            type=SettingType.SWITCH,
            title="Accept Models Without Price Settings",
            help="Off blocks calls to models that have no price.",
            summary="let calls to models without a price through: true or false",
        ),
    )


@dataclass(frozen=True, slots=True)
class PrivacySettings(SettingsSection):
    """True if consumption and error logs hold the client's IP address."""

    record_client_ip: bool = declare(
        False,
        Setting(
            type=SettingType.SWITCH,
            title="Record Request and Error Log IP",
            help="On stores the client's address with each request and error.",
            summary="keep client addresses in logs: true or false",
        ),
    )


@dataclass(frozen=True, slots=True)
class SidebarSettings(SettingsSection):
    """The modules left out of the sidebar. Visibility only."""

    hidden_modules: frozenset[str] = declare(
        frozenset(),
        Setting(
            type=SettingType.MODULES,
            title="Hidden modules",
            help="Switches the visibility of each module, nothing else.",
            summary="modules left out of the sidebar, with commas between",
            checks=(_check_modules,),
        ),
    )


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
