"""The models that the account may call, and their prices in dollars."""

from decimal import Decimal
from typing import Final

from remote.calls import Calls
from remote.exact_prices import UNPRICED_RATIO, exact_price
from remote.fields import Fields, texts_of
from remote.generations import KnownServer, ServerFacts
from remote.quota_units import micro_usd_of
from store.values.account_import import ForeignPrice
from store.values.billing import TOKENS_PER_PRICE, ModelPrice

_PER_REQUEST: Final = 1
"""The server's number for a model that is paid by the request."""


class Models:
    """Reads models and prices."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def available(self) -> tuple[str, ...]:
        """The models that the account may call, sorted. Raises the session errors."""
        return tuple(sorted(set(texts_of(await self._calls.read("/api/user/models")))))

    async def prices(self, group: str) -> tuple[ModelPrice, ...]:
        """The price of every model for accounts of `group`, by model. Raises the session errors."""
        facts = await self._server.facts()
        rows, share = await self._list(group)
        found = [_price(row, facts, Decimal(1) if share is None else share) for row in rows]
        return tuple(sorted(found, key=lambda price: price.model))

    async def exact_prices(self, group: str) -> tuple[ForeignPrice, ...]:
        """As `prices`, without those that are not exact here, which have a reason in their place."""
        facts = await self._server.facts()
        rows, share = await self._list(group)
        found = [exact_price(row, facts.quota_per_usd, share) for row in rows]
        return tuple(sorted(found, key=lambda price: price.model))

    async def _list(self, group: str) -> tuple[list[Fields], Decimal | None]:
        """The rows of the models, and the share of the price that accounts of `group` pay, if it is told."""
        reply = await self._calls.read_whole("/api/pricing")
        rows = [row for row in reply.items("data") if row.text("model_name")]
        return rows, reply.object("group_ratio").number(group)


def _price(row: Fields, facts: ServerFacts, share: Decimal) -> ModelPrice:
    model = row.text("model_name", 200)
    if row.whole("quota_type") == _PER_REQUEST:
        dollars = (row.number("model_price") or Decimal(0)) * share
        return ModelPrice(model, 0, 0, per_request=_rounded_up(dollars * 1_000_000))
    ratio = row.number("model_ratio") or Decimal(0)
    completion = row.number("completion_ratio")
    cached = row.number("cache_ratio")
    return ModelPrice(
        model,
        _per_million(ratio * share, facts),
        _per_million(ratio * share * (Decimal(1) if completion is None else completion), facts),
        cached_input_per_million=None if cached is None else _per_million(ratio * share * cached, facts),
        is_default=ratio == UNPRICED_RATIO,
    )


def _per_million(ratio: Decimal, facts: ServerFacts) -> int:
    """A ratio is the quota of one token."""
    return micro_usd_of(ratio * TOKENS_PER_PRICE, facts.quota_per_usd)


def _rounded_up(number: Decimal) -> int:
    above, below = number.as_integer_ratio()
    return -(-above // below)
