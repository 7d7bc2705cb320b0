"""The fields of `gatekey settings`: how each is named, read from a word, and shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from store import inputs
from store.errors import UnknownSetting
from store.money import parse_usd, type_usd
from store.secret_fields import StoredSecret
from store.sections import (
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    NotificationSettings,
    PriceSettings,
    PrivacySettings,
    SidebarSettings,
)
from tui.commands.values import Shown


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of one section."""

    section: str
    name: str
    kind: Any
    """The section's class, one of the four that `Settings.load_for` takes."""
    attribute: str
    read: Callable[[str, str], Any]
    """From what was typed, and the field's full name for its refusal, to the section's value."""
    show: Callable[[Any], Shown]
    help: str
    is_secret: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.section}.{self.name}"


def _text(typed: str, _name: str) -> str:
    return typed.strip(" ")


def _dollars(typed: str, name: str) -> int:
    return parse_usd(typed, field=name)


def _priority(typed: str, name: str) -> int:
    return inputs.check_whole(typed, LOWEST_PRIORITY, HIGHEST_PRIORITY, field=name)


def _switch(typed: str, name: str) -> bool:
    return inputs.check_switch(typed, field=name)


def _modules(typed: str, _name: str) -> frozenset[str]:
    return frozenset(word.strip(" ") for word in typed.split(",") if word.strip(" "))


def _secret(typed: str, _name: str) -> str:
    return typed


def _same(value: Any) -> Shown:
    shown: Shown = value
    return shown


def _state(secret: StoredSecret) -> Shown:
    return {"is_set": secret.is_set, "hint": secret.hint}


def _notification(name: str, read: Callable[[str, str], Any], help_: str) -> Field:
    return Field("notifications", name, NotificationSettings, name, read, _same, help_)


def _notification_secret(name: str, help_: str) -> Field:
    return Field("notifications", name, NotificationSettings, name, _secret, _state, help_, is_secret=True)


_FIELDS: Final = (
    Field(
        "notifications",
        "threshold",
        NotificationSettings,
        "threshold_micro_usd",
        _dollars,
        type_usd,
        "warn when less than this many dollars is left",
    ),
    _notification("email_on", _switch, "warn by e-mail: true or false"),
    _notification("email_address", _text, "where to; empty: the address bound to the account"),
    _notification("webhook_on", _switch, "warn by webhook: true or false"),
    _notification("webhook_url", _text, "the webhook's address"),
    _notification_secret("webhook_secret", "whsec_ and 24 to 64 bytes of base64"),
    _notification("bark_on", _switch, "warn by Bark: true or false"),
    _notification_secret("bark_url", "the address the Bark app shows, with its key"),
    _notification_secret("bark_encryption_key", "the key set in the Bark app for encrypted pushes"),
    _notification("gotify_on", _switch, "warn by Gotify: true or false"),
    _notification("gotify_url", _text, "the Gotify server's address"),
    _notification_secret("gotify_token", "the application token from Gotify"),
    _notification("gotify_priority", _priority, f"{LOWEST_PRIORITY} to {HIGHEST_PRIORITY}"),
    Field(
        "price",
        "accept_unpriced_models",
        PriceSettings,
        "accept_unpriced_models",
        _switch,
        _same,
        "let calls to models without a price through: true or false",
    ),
    Field(
        "privacy",
        "record_client_ip",
        PrivacySettings,
        "record_client_ip",
        _switch,
        _same,
        "keep client addresses in logs: true or false",
    ),
    Field(
        "sidebar",
        "hidden_modules",
        SidebarSettings,
        "hidden_modules",
        _modules,
        sorted,
        "modules left out of the sidebar, with commas between",
    ),
)
FIELDS: Final[Mapping[str, Field]] = {field.full_name: field for field in _FIELDS}
"""Every setting of an account, by `SECTION.FIELD`, in the order of the page."""


def find(name: str) -> Field:
    """The field called `name`. Raises `UnknownSetting`, naming one that is spelt alike."""
    if name in FIELDS:
        return FIELDS[name]
    raise UnknownSetting(inputs.did_you_mean(name, FIELDS))
