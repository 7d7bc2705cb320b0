"""Prices of models, as commands print them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui.commands import streams

_NO_PRICE: Final = "no price"

if TYPE_CHECKING:
    from store.values.billing import ModelPrice


def print_prices(prices: "Sequence[ModelPrice]", *, as_json: bool) -> None:
    """Print one price on each line, or all as one JSON document. Raises `OutputFailed`.

    A model without a price has null in the place of its amounts.
    """
    from store.money import show_usd, type_usd

    def typed(price: "ModelPrice", amount: int | None) -> str | None:
        return None if price.is_default or amount is None else type_usd(amount)

    def shown(price: "ModelPrice", amount: int | None) -> str:
        return "" if price.is_default or amount is None else show_usd(amount, exact=True)

    if as_json:
        streams.print_json(
            [
                {
                    "model": price.model,
                    "input_usd_per_million_tokens": typed(price, price.input_per_million),
                    "output_usd_per_million_tokens": typed(price, price.output_per_million),
                    "request_usd": typed(price, price.per_request),
                    "cached_input_usd_per_million_tokens": typed(price, price.cached_input_per_million),
                    "max_output_tokens": price.max_output_tokens,
                }
                for price in prices
            ]
        )
        return
    rows = [
        (
            price.model,
            _NO_PRICE if price.is_default else shown(price, price.input_per_million),
            shown(price, price.output_per_million),
            shown(price, price.per_request),
            "" if price.max_output_tokens is None else f"{price.max_output_tokens:,}",
            shown(price, price.cached_input_per_million),
        )
        for price in prices
    ]
    streams.print_table(("MODEL", "INPUT/1M", "OUTPUT/1M", "REQUEST", "LONGEST", "CACHED/1M"), rows)
