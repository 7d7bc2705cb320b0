"""An account of another gateway, as far as it can be carried over, and what became of each part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from store.sections import Channel
from store.values.api_keys import ApiKeyLimits
from store.values.billing import ModelPrice


class Fate(StrEnum):
    """The outcome of an import for one part of the other account."""

    CARRIED = "carried"
    SAME = "the same"
    """It is as it was there already."""
    LEFT = "left out"


class ImportLine(NamedTuple):
    """One part of the other account."""

    what: str
    fate: Fate
    detail: str = ""
    """The value that was carried, or the reason why it was left out."""


class ForeignKey(NamedTuple):
    """An API key of the other account, without the key itself. `why_not` is the reason why it should not be made."""

    name: str
    limits: ApiKeyLimits
    why_not: str = ""


class ForeignPrice(NamedTuple):
    """The price of a model for the other account."""

    model: str
    price: ModelPrice | None
    """The price, if it can be told exactly."""
    note: str = ""
    """The reason why it cannot, or a remark on how it came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAccount:
    """The other account."""

    name: str
    email: str
    threshold_micro_usd: int | None
    """None if none was chosen."""
    channel: Channel | None
    """The channel that warns there; None if none was chosen."""
    channel_fields: Mapping[str, str | int] = field(repr=False)
    """The settings of that channel, by their names here. Some are secrets."""
    accept_unpriced_models: bool
    record_client_ip: bool
    hidden_modules: frozenset[str]
    keys: tuple[ForeignKey, ...]
    left: tuple[ImportLine, ...]
    """Parts that no import can carry."""
    prices: tuple[ForeignPrice, ...] = ()


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key of the name and the limits of another. It is shown once."""

    name: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of an import, part by part."""

    lines: tuple[ImportLine, ...]
    made: tuple[MadeKey, ...]
