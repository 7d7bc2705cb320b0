"""`gatekey admin price`: the prices of models."""

import argparse
from typing import Final

from tui.commands import streams
from tui.commands.actor import actor
from tui.commands.parsing import Commands, add_list
from tui.store_location import Options, open_account_store

_BATCHES: Final = """\
A batch (/v1/batches) names its models in a file that the gateway does not read. It is
charged when it is created, once, as a request to a model called batch:
  gatekey admin price set batch --input 0 --output 0 --request 0.50
Without that price, batches need an account that accepts models without one. An API key
with a list of models creates batches only if batch is among them. Files cost nothing."""
_DECIMAL_PLACES: Final = 6
"""Decimals of a price in dollars."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("price", help="set, list and remove the prices of models")
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    set_ = actions.add_parser("set", help="set a model's price, in dollars with up to six decimals")
    set_.epilog = _BATCHES
    set_.add_argument("model", metavar="MODEL", help="the name exactly as clients send it")
    set_.add_argument("--input", metavar="USD", required=True, help="per million tokens sent to the model")
    set_.add_argument(
        "--cached-input",
        metavar="USD",
        help="of those, what the model server had cached (default: as input)",
    )
    set_.add_argument("--output", metavar="USD", required=True, help="per million tokens the model answers")
    set_.add_argument("--request", metavar="USD", default="0", help="per request, on top (default: %(default)s)")
    set_.add_argument(
        "--max-output",
        metavar="TOKENS",
        type=int,
        help="the longest answer in tokens, as a whole number without a unit; a call holds what it costs "
        "(default: the site's price.max_output_tokens)",
    )
    set_.set_defaults(run=run_set)

    add_list(actions, "price", run_list)

    remove = actions.add_parser("remove", help="remove a model's price; calls to it are then blocked by default")
    remove.add_argument("model", metavar="MODEL")
    remove.set_defaults(run=run_remove)


def run_set(arguments: argparse.Namespace, options: Options) -> int:
    from store.money import parse_usd
    from store.values.billing import ModelPrice

    cached = arguments.cached_input
    price = ModelPrice(
        arguments.model,
        parse_usd(arguments.input, places=_DECIMAL_PLACES, field="input"),
        parse_usd(arguments.output, places=_DECIMAL_PLACES, field="output"),
        parse_usd(arguments.request, places=_DECIMAL_PLACES, field="request"),
        cached_input_per_million=None
        if cached is None
        else parse_usd(cached, places=_DECIMAL_PLACES, field="cached-input"),
        max_output_tokens=arguments.max_output,
    )
    with open_account_store(options, create=False) as store:
        store.pricing.set(price, actor=actor())
    streams.print_status(f"Set the price of {price.model}.")
    return 0


def run_list(arguments: argparse.Namespace, options: Options) -> int:
    from tui.commands.prices import print_prices

    with open_account_store(options, create=False) as store:
        prices = store.pricing.all()
    print_prices(prices, as_json=arguments.json)
    return 0


def run_remove(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        store.pricing.remove(arguments.model, actor=actor())
    streams.print_status(f"Removed the price of {arguments.model}.")
    return 0
