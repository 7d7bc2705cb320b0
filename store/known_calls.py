"""An API key and a price as an earlier call has read them, and the condition that they still stand.

The hold of a later call asks that condition itself, so that the call reads nothing before it. What has changed since is
found by the statement that holds the money, as it would be by a read: a call is never admitted by what is remembered.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, Final, Self

from sqlalchemy import Boolean, Column, ColumnElement, Select, Text, bindparam, cast, false, func

from store.api_key_use import HOLDER_AND_PRICE, LAST_USE_INTERVAL, KeyHolder
from store.models import Account, ApiKey, PrivacySettingsRow
from store.price_lookup import PRICE, lookup_parameters
from store.sessions import digest
from store.values.billing import ModelPrice

_KNOWN: Final = "known_"
"""Before the name of a column, in the name of the parameter that it is compared with."""
_DOCUMENTS: Final[tuple[Column[Any], ...]] = (ApiKey.c.allowed_models, ApiKey.c.allowed_networks)
_PRICE_VALUES: Final = tuple(each.name for each in fields(ModelPrice))[: len(PRICE)]
"""The attributes of a price, in the order of its columns."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownCall:
    """The holder of a key, and the price of a model. The money of the holder is that of then."""

    holder: KeyHolder
    price: ModelPrice
    parameters: Mapping[str, Any] = field(repr=False)
    """The parameters of `account_as_known` that are the same for each call."""

    @classmethod
    def of(cls, holder: KeyHolder, price: ModelPrice, *, key: str, model: str) -> Self:
        """The knowledge that a call of `model` with the API key `key` has read."""
        return cls(holder, price, _parameters(holder, price, key, model))

    def parameters_at(self, now: datetime) -> Mapping[str, Any]:
        """The parameters of `account_as_known`, without those of `period_parameters`."""
        return {**self.parameters, "now": now, "noted_after": now - LAST_USE_INTERVAL}


def known_call(holder: KeyHolder, price: ModelPrice | None, *, key: str, model: str) -> KnownCall | None:
    """The key and the price that were read, if a hold can do without reading them again; None otherwise."""
    is_plain = holder.key_id is not None and not holder.is_disabled and holder.requests_per_minute is None
    if price is None or price.is_default or holder.is_stale or not is_plain:
        return None
    return KnownCall.of(holder, price, key=key, model=model)


@cache
def account_as_known(dialect: str) -> Select[Any]:
    """The id of the account, if a read would find what is known. On PostgreSQL it is locked against deletion."""
    documents = (_is_known(dialect, column) for column in _DOCUMENTS)
    prices = (column.is_not_distinct_from(_value(column, f"{_KNOWN}price_{column.name}")) for column in PRICE)
    found = HOLDER_AND_PRICE.with_only_columns(Account.c.id).where(
        ApiKey.c.id == _value(ApiKey.c.id, "key"),
        ApiKey.c.name == _value(ApiKey.c.name, f"{_KNOWN}name"),
        ApiKey.c.disabled_at.is_(None),
        ApiKey.c.requests_per_minute.is_(None),
        ApiKey.c.last_used_at > _value(ApiKey.c.last_used_at, "noted_after"),
        *documents,
        Account.c.id == _value(Account.c.id, "account"),
        Account.c.name == _value(Account.c.name, f"{_KNOWN}account_name"),
        Account.c.suspended_at.is_(None),
        func.coalesce(PrivacySettingsRow.c.record_client_ip, false()) == bindparam("records_ip", type_=Boolean()),
        *prices,
    )
    return found.with_for_update(read=True, key_share=True, of=Account)


def _is_known(dialect: str, column: Column[Any]) -> ColumnElement[bool]:
    known = bindparam(_KNOWN + column.name, type_=Text())
    if dialect == "sqlite":
        return cast(column, Text()).is_not_distinct_from(known)
    from sqlalchemy.dialects.postgresql import JSONB  # SQLite needs none of it, and it takes a while to load

    return cast(column, JSONB).is_not_distinct_from(cast(known, JSONB))


def _parameters(holder: KeyHolder, price: ModelPrice, key: str, model: str) -> Mapping[str, Any]:
    documents = (holder.allowed_models, holder.allowed_networks)
    return {
        "hashed": digest(key),
        **lookup_parameters(model),
        "account": holder.account_id,
        "key": holder.key_id,
        "records_ip": holder.records_ip,
        f"{_KNOWN}name": holder.key_name,
        f"{_KNOWN}account_name": holder.account_name,
        **{
            _KNOWN + column.name: None if items is None else json.dumps(items)
            for column, items in zip(_DOCUMENTS, documents, strict=True)
        },
        **{
            f"{_KNOWN}price_{column.name}": getattr(price, name)
            for column, name in zip(PRICE, _PRICE_VALUES, strict=True)
        },
    }


def _value(column: ColumnElement[Any], name: str) -> Any:
    return bindparam(name, type_=column.type)
