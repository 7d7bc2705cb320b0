"""The documents of the account API as pydantic models: strict, no extra fields, money as decimal strings."""

import re
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

_AMOUNT: Final = r"^(1000000000(\.0{1,6})?|[0-9]{1,9}(\.[0-9]{1,6})?)$"
Usd = Annotated[str, Field(pattern=_AMOUNT, max_length=17, examples=["1.00"])]
"""Dollars with up to six decimals, up to 1,000,000,000; a string, because a float loses cents."""


def integer_from_float(value: object) -> object:
    """2.0 as 2, and everything else as it is: JSON has one kind of number (RFC 8259, 6)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _check_timestamp(value: object) -> object:
    """A time with its offset from UTC (RFC 3339, 5.6). Without it pydantic also reads a number of seconds."""
    if isinstance(value, str) and not _TIMESTAMP.fullmatch(value):
        raise ValueError("Give a time with its offset from UTC, such as 2026-01-31T12:00:00Z.")
    return value


Timestamp = Annotated[AwareDatetime, BeforeValidator(_check_timestamp)]
Kind = Literal["consumption", "error", "drawing", "task"]
Module = Literal["playground", "overview", "api-keys", "usage-logs", "drawing-logs", "task-logs", "wallet", "settings"]


class Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Problem(Document):
    """A failure (RFC 9457)."""

    title: str
    status: int
    detail: str
    """One or two sentences that a person can act on."""
    field: str | None = None
    """The field at fault, if any."""
    reason: str | None = None
    """A code, where a status alone is ambiguous: why `/healthz` fails."""


class Health(Document):
    status: Literal["ok"]


class AccountDocument(Document):
    name: str
    email: str
    role: Literal["user", "admin", "root"]
    created_at: datetime


class QuotaDocument(Document):
    remaining_usd: Usd
    """The amount left, including what is held for calls under way."""
    held_usd: Usd
    used_usd: Usd


class UsageEntryDocument(Document):
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
    cached_tokens: int
    """Prompt tokens from the model server's cache, part of `prompt_tokens`."""
    images: int
    image_size: str
    """As the request named it, such as 1024x1024; empty where it named none."""
    task_done: int | None
    """Finished requests of a task; null until the model server has told."""
    task_total: int | None
    input_usd_per_million: Usd | None
    """The price at the time of the call; null in all four without one, and for calls logged by older versions."""
    cached_input_usd_per_million: Usd | None
    output_usd_per_million: Usd | None
    request_usd: Usd | None


class UsagePageDocument(Document):
    """Entries from new to old."""

    entries: list[UsageEntryDocument]
    next_cursor: str | None
    """Cursor of the page after this one; null on the last."""
