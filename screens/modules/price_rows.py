"""Prices of models as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from store.money import show_amount
from store.text import sanitize
from tui.widgets.table_columns import TableColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from store.values.billing import ModelPrice


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
        _amount("Input/1M", lambda price: price.input_per_million, priority=0),
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
    amounts = (price.input_per_million, price.output_per_million, price.per_request)
    return "\t".join((sanitize(price.model, 200), *map(show_amount, amounts)))


def _amount(label: str, read: Callable[[ModelPrice], int], *, priority: int) -> TableColumn[PriceRow]:
    return TableColumn(
        label,
        lambda row: Content(show_amount(read(row.price))),
        12,
        minimum=10,
        maximum=18,
        align="right",
        priority=priority,
    )
