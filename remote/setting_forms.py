"""The settings as the server keeps them, as a form: one channel, quota instead of money, one text in another."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from remote import sidebar
from remote.fields import Fields
from remote.generations import ServerFacts
from remote.own_account import OwnAccount
from remote.quota_units import threshold_micro_usd
from store.errors import InvalidInput, InvalidMoney, InvalidSecret, InvalidUrl
from store.sections import Channel

SERVER_THRESHOLD: Final = Decimal(1000)
"""The threshold that the server applies as long as none is stored, in quota. Its page shows another one."""
CHANNEL_FIELDS: Final = {
    Channel.EMAIL: ("notification_email",),
    Channel.WEBHOOK: ("webhook_url", "webhook_secret"),
    Channel.BARK: ("bark_url",),
    Channel.GOTIFY: ("gotify_url", "gotify_token", "gotify_priority"),
}


@dataclass(frozen=True, slots=True)
class NotificationForm:
    """The notification settings. The server knows one channel and keeps its fields alone."""

    channel: Channel = Channel.EMAIL
    threshold_micro_usd: int = 0
    notification_email: str = ""
    """Empty: the e-mail address of the account."""
    webhook_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    bark_url: str = field(default="", repr=False)
    gotify_url: str = ""
    gotify_token: str = field(default="", repr=False)
    gotify_priority: int = 5

    def checked(self) -> None:
        """Raises `InvalidInput` (a child of it) with the field that the server would refuse."""
        if self.threshold_micro_usd <= 0:
            raise InvalidMoney("This server takes a threshold above zero.", field="threshold_micro_usd")
        needed: dict[Channel, tuple[tuple[str, type[InvalidInput], str], ...]] = {
            Channel.EMAIL: (),
            Channel.WEBHOOK: (("webhook_url", InvalidUrl, "Enter the address the webhook is sent to."),),
            Channel.BARK: (("bark_url", InvalidUrl, "Enter the address the Bark app shows."),),
            Channel.GOTIFY: (
                ("gotify_url", InvalidUrl, "Enter the address of your Gotify server."),
                ("gotify_token", InvalidSecret, "Enter the application token from Gotify."),
            ),
        }
        for name, kind, sentence in needed[self.channel]:
            if not getattr(self, name):
                raise kind(sentence, field=name)


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """All settings at one moment. Give it back to a save, as what the person had seen."""

    form: NotificationForm
    """The fields of the selected channel as the server keeps them, and the defaults of the others."""
    is_form_stored: bool
    """False if the account never chose a channel or a threshold: the server then applies defaults of its own."""
    accept_unpriced_models: bool
    record_client_ip: bool
    hidden_modules: frozenset[str]
    locked_modules: frozenset[str]
    """The modules that the administrator left out."""
    may_choose_sidebar: bool
    language: str
    billing_preference: str
    stored: Fields = field(repr=False)
    """The settings that the server keeps, as they were read. They hold secrets."""
    sidebar_text: str = field(repr=False)


def settings_of_account(account: OwnAccount, facts: ServerFacts) -> RemoteSettings:
    stored = account.settings
    threshold = stored.number("quota_warning_threshold")
    kind = stored.raw_text("notify_type")
    channel = Channel(kind) if kind in set(Channel) else Channel.EMAIL
    return RemoteSettings(
        form=NotificationForm(
            channel=channel,
            threshold_micro_usd=threshold_micro_usd(threshold or SERVER_THRESHOLD, facts.quota_per_usd),
            notification_email=stored.text("notification_email"),
            webhook_url=stored.text("webhook_url"),
            webhook_secret=stored.raw_text("webhook_secret"),
            bark_url=stored.text("bark_url"),
            gotify_url=stored.text("gotify_url"),
            gotify_token=stored.raw_text("gotify_token"),
            # The server writes 0 for every account that never chose Gotify.
            gotify_priority=stored.whole("gotify_priority", 5) if channel is Channel.GOTIFY else 5,
        ),
        is_form_stored=bool(kind) and threshold is not None,
        accept_unpriced_models=stored.flag("accept_unset_model_ratio_model"),
        record_client_ip=stored.flag("record_ip_log"),
        hidden_modules=sidebar.hidden_modules(account.sidebar_text),
        locked_modules=sidebar.locked_modules(facts),
        may_choose_sidebar=account.may_choose_sidebar,
        language=account.language,
        billing_preference=account.billing_preference,
        stored=stored,
        sidebar_text=account.sidebar_text,
    )


def form_as_stored(stored: Fields) -> dict[str, Any]:
    """The form as it has to be sent for the server to keep what it has, with its own defaults for what is missing."""
    kind = stored.raw_text("notify_type")
    channel = Channel(kind) if kind in set(Channel) else Channel.EMAIL
    body: dict[str, Any] = {
        "notify_type": channel.value,
        "quota_warning_threshold": stored.number("quota_warning_threshold") or SERVER_THRESHOLD,
    }
    for name in CHANNEL_FIELDS[channel]:
        body[name] = stored.whole(name) if name == "gotify_priority" else stored.raw_text(name)
    return body


def switches(now: RemoteSettings) -> dict[str, Any]:
    return {
        "accept_unset_model_ratio_model": now.accept_unpriced_models,
        "record_ip_log": now.record_client_ip,
    }


def merged_with(form: NotificationForm, known: NotificationForm) -> NotificationForm:
    """`form` as the server keeps it, with the fields of the other channels from `known`, which the console keeps."""
    others = [name for channel, names in CHANNEL_FIELDS.items() if channel is not form.channel for name in names]
    return replace(form, **{name: getattr(known, name) for name in others})


def channel_fields(form: NotificationForm) -> dict[str, str | int]:
    """The fields of every channel, by name."""
    return {name: getattr(form, name) for names in CHANNEL_FIELDS.values() for name in names}


def form_of_fields(kept: Mapping[str, Any]) -> NotificationForm:
    """A form with these fields; what is missing or of another kind is the default."""
    defaults = channel_fields(NotificationForm())
    good: dict[str, Any] = {name: kept[name] for name, usual in defaults.items() if type(kept.get(name)) is type(usual)}
    return NotificationForm(**good)
