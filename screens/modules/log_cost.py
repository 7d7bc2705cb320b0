"""The cost of a call, line by line: tokens times the price of the time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from store.money import show_usd
from store.values.billing import TOKENS_PER_PRICE
from store.values.usage import FREE_TASKS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.values.usage import UsageEntry

_MICRO: Final = Decimal(1_000_000)
UNPRICED: Final = "The model had no price; the account lets such models through."
NOT_KEPT: Final = "The price of that time is not known: an older version logged the call."
FREE_TASK: Final = "Uploads, deletions and cancellations cost nothing."
FREE: Final = "A call that failed costs nothing."
ROUNDED: Final = "rounded up to a millionth of a dollar"


def cost_lines(entry: UsageEntry, *, not_told: str = "") -> Iterator[tuple[str, str]]:
    """Label and calculation of each part of the cost. Together they are what was charged, before it is rounded up.

    `not_told` is the reason why there is no price, for an account that tells none.
    """
    price = entry.price
    if price is None:
        yield "Cost", _without_price(entry, not_told)
        return
    if entry.kind is Kind.ERROR and not entry.cost_micro_usd:
        yield "Cost", FREE
        return
    cached_price = price.input_per_million if price.cached_input_per_million is None else price.cached_input_per_million
    parts = [
        ("Cost, in", entry.prompt_tokens - entry.cached_tokens, price.input_per_million),
        ("of it cached", entry.cached_tokens, cached_price),
        ("Cost, out", entry.completion_tokens, price.output_per_million),
    ]
    for label, tokens, per_million in parts:
        if tokens:
            amount = Decimal(tokens * per_million) / TOKENS_PER_PRICE / _MICRO
            yield label, f"{tokens:,} × {show_usd(per_million, exact=True)} per million = {_dollars(amount)}"
    if price.per_request:
        times = max(1, entry.images)
        amount = Decimal(times * price.per_request) / _MICRO
        what = "image" if entry.images else "request"
        yield f"Cost, {what}", f"{times:,} × {show_usd(price.per_request, exact=True)} = {_dollars(amount)}"
    times = max(entry.images - 1, 0)
    whole = price.cost(entry.prompt_tokens, entry.completion_tokens, entry.cached_tokens) + times * price.per_request
    if whole == entry.cost_micro_usd:
        yield "Sum", f"{show_usd(whole, exact=True)}, {ROUNDED}"
    else:
        yield "Sum", f"{show_usd(whole, exact=True)}, of which less was charged than was used"


def _without_price(entry: UsageEntry, not_told: str) -> str:
    if entry.unpriced:
        return UNPRICED
    if entry.kind is Kind.ERROR:
        return FREE
    return FREE_TASK if entry.kind is Kind.TASK and entry.model in FREE_TASKS else not_told or NOT_KEPT


def _dollars(amount: Decimal) -> str:
    """Dollars with six decimals, or with as many as the amount has."""
    text = f"{amount:,.12f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"${whole}.{decimals.ljust(6, '0')}"
