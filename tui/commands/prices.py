"""Prices of models, as commands print them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.commands import streams

if TYPE_CHECKING:
    from store.values.billing import ModelPrice


def print_prices(prices: "Sequence[ModelPrice]", *, as_json: bool) -> None:
    """Print one price on each line, or all as one JSON document. Raises `OutputFailed`."""
    from store.money import show_usd, type_usd

    if as_json:
        streams.print_json(
            [
                {
                    "model": price.model,
                    "input_usd_per_million_tokens": type_usd(price.input_per_million),
                    "output_usd_per_million_tokens": type_usd(price.output_per_million),
                    "request_usd": type_usd(price.per_request),
                    "cached_input_usd_per_million_tokens": None
                    if price.cached_input_per_million is None
                    else type_usd(price.cached_input_per_million),
                    "max_output_tokens": price.max_output_tokens,
                }
                for price in prices
            ]
        )
        return
    rows = [
        (
            price.model,
            show_usd(price.input_per_million, exact=True),
            show_usd(price.output_per_million, exact=True),
            show_usd(price.per_request, exact=True),
            "" if price.max_output_tokens is None else f"{price.max_output_tokens:,}",
            "" if price.cached_input_per_million is None else show_usd(price.cached_input_per_million, exact=True),
        )
        for price in prices
    ]
    streams.print_table(("MODEL", "INPUT/1M", "OUTPUT/1M", "REQUEST", "LONGEST", "CACHED/1M"), rows)
