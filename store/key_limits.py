"""The limits of API keys: which are accepted, and which changes of them lower a safeguard."""

import ipaddress
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from store import inputs
from store.errors import InvalidExpiry, InvalidModel, InvalidNetwork, InvalidNumber, SpendLimitMissing
from store.money import check_spend_limit
from store.text import fold_case, sanitize
from store.values.api_keys import ApiKeyLimits, LimitPeriod

Network = IPv4Network | IPv6Network
MAX_MODELS: Final = 100
MAX_NETWORKS: Final = 50
MAX_REQUESTS_PER_MINUTE: Final = 1_000_000
MAX_OVERLAP_MINUTES: Final = 7 * 24 * 60
_MAPPED_BITS: Final = 96
"""The prefix of IPv4-mapped addresses, `::ffff:0:0/96` (RFC 4291, 2.5.5.2)."""


def checked_limits(limits: ApiKeyLimits, now: datetime, *, before: ApiKeyLimits | None = None) -> ApiKeyLimits:
    """`limits` as they are stored. An expiry that `before` had already may have passed.

    A period ends with the spend limit of `before`. Raises `InvalidExpiry`, `InvalidMoney`, `InvalidModel`,
    `InvalidNetwork`, `InvalidNumber`, and `SpendLimitMissing` for a new period without a limit, each with its `field`.
    """
    expiry, limit, rate = limits.expires_at, limits.spend_limit_micro_usd, limits.requests_per_minute
    if expiry is not None and expiry <= now and (before is None or expiry != before.expires_at):
        raise InvalidExpiry(field="api-key-expiry")
    if limit is not None:
        check_spend_limit(limit, field="api-key-limit")
    elif limits.limit_period not in (LimitPeriod.NONE, LimitPeriod.NONE if before is None else before.limit_period):
        raise SpendLimitMissing(field="api-key-period")
    if rate is not None and not 1 <= rate <= MAX_REQUESTS_PER_MINUTE:
        raise InvalidNumber(f"Enter 1 to {MAX_REQUESTS_PER_MINUTE:,} requests per minute.", field="api-key-rate")
    return replace(
        limits,
        limit_period=LimitPeriod.NONE if limit is None else limits.limit_period,
        allowed_models=None if limits.allowed_models is None else check_models(limits.allowed_models),
        allowed_networks=None if limits.allowed_networks is None else check_networks(limits.allowed_networks),
    )


def check_models(names: Iterable[str]) -> tuple[str, ...]:
    """Names of models, each once. Raises `InvalidModel` for a bad name, for none and for more than `MAX_MODELS`."""
    field = "api-key-models"
    by_key = {fold_case(name): name for name in (inputs.check_model(name.strip(), field=field) for name in names)}
    if not 1 <= len(by_key) <= MAX_MODELS:
        raise InvalidModel(f"Name 1 to {MAX_MODELS} models, or none of them to allow every model.", field=field)
    return tuple(by_key.values())


def check_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Networks in canonical form, each once; an IPv4-mapped one becomes IPv4.

    Raises `InvalidNetwork` for a bad one, for none and for more than `MAX_NETWORKS`.
    """
    field = "api-key-networks"
    networks = tuple(dict.fromkeys(str(_check_network(text.strip(), field)) for text in texts))
    if not 1 <= len(networks) <= MAX_NETWORKS:
        raise InvalidNetwork(f"Name 1 to {MAX_NETWORKS} networks, or none of them to allow every address.", field=field)
    return networks


def check_overlap(minutes: int) -> timedelta:
    """The time for which the old key is accepted after a rotation. Raises `InvalidNumber`."""
    if not 0 <= minutes <= MAX_OVERLAP_MINUTES:
        raise InvalidNumber(f"Enter 0 to {MAX_OVERLAP_MINUTES:,} minutes, which are 7 days.", field="api-key-overlap")
    return timedelta(minutes=minutes)


def is_allowed_model(model: str, allowed: tuple[str, ...] | None) -> bool:
    """True if a key with these models may call `model`."""
    if allowed is None or model in allowed:
        return True
    key = fold_case(model)
    return any(fold_case(name) == key for name in allowed)


def is_allowed_address(address: str, allowed: tuple[str, ...] | None) -> bool:
    """True if a key with these networks may be used from `address`. An unknown address is in no network."""
    if allowed is None:
        return True
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    peer = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(peer in _network(text) for text in allowed)


def loosened(before: ApiKeyLimits, after: ApiKeyLimits) -> str:
    """The part of a change that lowers a safeguard, in words; empty without one."""
    if _is_later(before.expires_at, after.expires_at):
        return "let the key work longer"
    if _is_more(before.spend_limit_micro_usd, after.spend_limit_micro_usd):
        return "raise the spend limit of the key"
    if before.spend_limit_micro_usd is not None and after.limit_period is not before.limit_period:
        # Less may count in the other period, a longer one too: a month that begins within a week lacks its first days.
        return "change when the spend limit of the key begins anew"
    if not _are_within(after.allowed_models, before.allowed_models):
        return "allow the key more models"
    if not _lie_within(after.allowed_networks, before.allowed_networks):
        return "allow the key more addresses"
    if _is_more(before.requests_per_minute, after.requests_per_minute):
        return "allow the key more requests"
    return ""


def _check_network(text: str, field: str) -> Network:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidNetwork(f"{sanitize(text, 60) or 'Nothing'} is no IP address or network.", field=field) from error
    if getattr(network.network_address, "scope_id", None):
        raise InvalidNetwork("Leave the zone (%) out of the address.", field=field)
    if "/" in text and ipaddress.ip_address(text.partition("/")[0]) != network.network_address:
        shown = sanitize(text, 60)
        raise InvalidNetwork(f"{shown} names an address inside a network. Did you mean {network}?", field=field)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


@lru_cache(4096)
def _network(text: str) -> Network:
    return ipaddress.ip_network(text)


def _is_later(before: datetime | None, after: datetime | None) -> bool:
    return before is not None and (after is None or after > before)


def _is_more(before: int | None, after: int | None) -> bool:
    return before is not None and (after is None or after > before)


def _are_within(after: tuple[str, ...] | None, before: tuple[str, ...] | None) -> bool:
    if before is None:
        return True
    return after is not None and {fold_case(name) for name in after} <= {fold_case(name) for name in before}


def _lie_within(after: tuple[str, ...] | None, before: tuple[str, ...] | None) -> bool:
    if before is None:
        return True
    return after is not None and all(any(_is_part(_network(one), _network(of)) for of in before) for one in after)


def _is_part(one: Network, of: Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(of, IPv4Network) and one.subnet_of(of)
    return isinstance(of, IPv6Network) and one.subnet_of(of)
