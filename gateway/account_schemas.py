"""The documents of the account API as pydantic models: strict, no extra fields, money as decimal strings."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from store.sections import HIGHEST_PRIORITY, LOWEST_PRIORITY

_AMOUNT: Final = r"^(1000000000(\.0{1,6})?|[0-9]{1,9}(\.[0-9]{1,6})?)$"
Usd = Annotated[str, Field(pattern=_AMOUNT, max_length=17, examples=["1.00"])]
"""Dollars with up to six decimals, up to 1,000,000,000; a string, because a float loses cents."""


def whole(value: object) -> object:
    """2.0 as 2, and everything else as it is: JSON has one kind of number (RFC 8259, 6)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Kind = Literal["consumption", "error", "drawing", "task"]
Module = Literal["playground", "overview", "api-keys", "usage-logs", "drawing-logs", "task-logs", "wallet", "settings"]


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Problem(_Document):
    """A failure (RFC 9457)."""

    title: str
    status: int
    detail: str
    """One or two sentences that a person can act on."""
    field: str | None = None
    """The field at fault, if any."""
    reason: str | None = None
    """A code, where a status alone is ambiguous: why `/healthz` fails."""


class Health(_Document):
    status: Literal["ok"]


class AccountDocument(_Document):
    name: str
    email: str
    role: Literal["user", "admin", "root"]
    created_at: datetime


class QuotaDocument(_Document):
    remaining_usd: Usd
    """The amount left, including what is held for calls under way."""
    held_usd: Usd
    used_usd: Usd


class UsageEntryDocument(_Document):
    id: int
    at: datetime
    kind: Kind
    model: str
    api_key_name: str
    request_id: str
    status: str
    detail: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Usd
    duration_ms: int
    unpriced: bool
    client_ip: str | None
    """Null unless the account records addresses."""


class UsagePageDocument(_Document):
    """Entries from new to old."""

    entries: list[UsageEntryDocument]
    next_cursor: str | None
    """Cursor of the page after this one; null on the last."""


class NotificationsBody(_Document):
    """When and where warnings go. Secrets are not here: they are set in the console, where one proves who one is."""

    threshold_usd: Usd
    email_on: bool
    email_address: Annotated[str, Field(max_length=254)]
    """Empty: the address bound to the account."""
    webhook_on: bool
    webhook_url: Annotated[str, Field(max_length=2000)]
    bark_on: bool
    gotify_on: bool
    gotify_url: Annotated[str, Field(max_length=2000)]
    gotify_priority: Annotated[int, Field(ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY), BeforeValidator(whole)]


class ProofBody(_Document):
    """Who sends a change, for what a token alone may not do: the password, or a code of the authenticator app."""

    password: Annotated[str | None, Field(max_length=1024, repr=False)] = None
    code: Annotated[str | None, Field(pattern="^[0-9]{6}$", repr=False)] = None


class PriceBody(_Document):
    accept_unpriced_models: bool


class NotificationsChange(NotificationsBody):
    proof: ProofBody | None = None
    """Needed to change an address, and to switch every warning off."""


class PriceChange(PriceBody):
    proof: ProofBody | None = None
    """Needed to accept models without price settings."""


class PrivacyBody(_Document):
    record_client_ip: bool


class SidebarBody(_Document):
    hidden_modules: Annotated[list[Module], Field(max_length=100)]


class SecretState(_Document):
    """What is said of a stored secret."""

    is_set: bool
    hint: str


class NotificationSecrets(_Document):
    webhook_secret: SecretState
    bark_url: SecretState
    bark_encryption_key: SecretState
    gotify_token: SecretState


class NotificationsDocument(_Document):
    version: int
    settings: NotificationsBody
    secrets: NotificationSecrets


class PriceDocument(_Document):
    version: int
    settings: PriceBody


class PrivacyDocument(_Document):
    version: int
    settings: PrivacyBody


class SidebarDocument(_Document):
    version: int
    settings: SidebarBody
