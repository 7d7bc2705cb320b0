"""Prices of models as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.content import Content

from store.money import show_amount, show_usd
from store.text import pluralize, sanitize
from tui.widgets.table_columns import TableColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from store.values.billing import ModelPrice

NO_PRICE: Final = "no price"


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price and its place in the list."""

    place: int
    price: ModelPrice


def rows_with(prices: Iterable[ModelPrice], sought: str) -> tuple[PriceRow, ...]:
    """The prices of models with `sought` in their name; capitals do not matter."""
    part = sought.strip().casefold()
    found = (price for price in prices if part in price.model.casefold())
    return tuple(PriceRow(place, price) for place, price in enumerate(found))


def price_columns() -> list[TableColumn[PriceRow]]:
    """The columns of the prices, in USD per million tokens."""
    return [
        TableColumn("Model", lambda row: Content(sanitize(row.price.model, 200)), 24, minimum=12, maximum=60),
        _amount("Input/1M", lambda price: price.input_per_million, priority=0, unpriced=NO_PRICE),
        _amount(
            "Cached/1M",
            lambda price: (
                price.input_per_million if price.cached_input_per_million is None else price.cached_input_per_million
            ),
            priority=2,
        ),
        _amount("Output/1M", lambda price: price.output_per_million, priority=0),
        _amount("Request", lambda price: price.per_request, priority=1),
    ]


def line_of_price(row: PriceRow) -> str:
    """A price as text, for the clipboard."""
    price = row.price
    if price.is_default:
        return f"{sanitize(price.model, 200)}\t{NO_PRICE}"
    amounts = (price.input_per_million, price.output_per_million, price.per_request)
    return "\t".join((sanitize(price.model, 200), *map(show_amount, amounts)))


def unpriced_words(prices: Iterable[ModelPrice]) -> str:
    """The sentence about calls of the listed models without a price; empty if each has one."""
    unpriced = [price for price in prices if price.is_default]
    if not unpriced:
        return ""
    rate = show_usd(max(max(price.input_per_million, price.output_per_million) for price in unpriced), exact=True)
    models = pluralize(len(unpriced), "model")
    return (
        f"The server names no price for {models}. Calls of such models are refused, or charged up to {rate} per "
        "million tokens where your Price settings accept models without a price."
    )


def _amount(
    label: str, read: Callable[[ModelPrice], int], *, priority: int, unpriced: str = ""
) -> TableColumn[PriceRow]:
    """`unpriced` stands in the place of the amount of a model without a price."""
    return TableColumn(
        label,
        lambda row: Content(unpriced if row.price.is_default else show_amount(read(row.price))),
        12,
        minimum=10,
        maximum=18,
        align="right",
        priority=priority,
    )
