"""Models and prices in dollars."""

import json

from remote.client import RemoteClient
from store.values.billing import ModelPrice
from tests.harness.scripted_server import ScriptedServer, answer, raw

ROWS = [
    {"model_name": "stub", "quota_type": 0, "model_ratio": 1, "model_price": 0, "completion_ratio": 2},
    {"model_name": "cached", "quota_type": 0, "model_ratio": 0.075, "completion_ratio": 4, "cache_ratio": 0.5},
    {"model_name": "free", "quota_type": 0, "model_ratio": 37.5, "completion_ratio": 1},
    {"model_name": "paint", "quota_type": 1, "model_price": 0.04, "model_ratio": 0},
    {"model_name": ""},
]


async def test_prices_are_exact_and_of_the_group(server: ScriptedServer, client: RemoteClient) -> None:
    whole = {"success": True, "data": ROWS, "group_ratio": {"default": 1, "vip": 0.5}}
    server.script("GET /api/pricing", raw(200, json.dumps(whole).encode(), {"content-type": "application/json"}))
    assert await client.models.prices("default") == (
        ModelPrice("cached", 150_000, 600_000, cached_input_per_million=75_000),
        ModelPrice("free", 75_000_000, 75_000_000, is_default=True),
        ModelPrice("paint", 0, 0, per_request=40_000),
        ModelPrice("stub", 2_000_000, 4_000_000),
    )
    assert (await client.models.prices("vip"))[-1] == ModelPrice("stub", 1_000_000, 2_000_000)
    assert (await client.models.prices("unknown"))[-1] == ModelPrice("stub", 2_000_000, 4_000_000)


EXACT = [
    *ROWS[:4],
    {"model_name": "third", "quota_type": 0, "model_ratio": 0.1428571, "completion_ratio": 3},
    {"model_name": "half", "quota_type": 0, "model_ratio": 0.0000005, "completion_ratio": 1},
    {"model_name": "below", "quota_type": 0, "model_ratio": -1, "completion_ratio": 1},
    {"model_name": "tiers", "quota_type": 0, "model_ratio": 1, "completion_ratio": 1, "billing_mode": "tiered_expr"},
    {"model_name": "other", "quota_type": 7, "model_ratio": 1, "completion_ratio": 1},
    {"model_name": "sound", "quota_type": 0, "model_ratio": 1, "completion_ratio": 1, "audio_ratio": 20},
    {"model_name": "part", "quota_type": 0, "model_ratio": 1},
    {"model_name": "dab", "quota_type": 1, "model_price": 0.0000001},
    {"model_name": "\x1bname", "quota_type": 0, "model_ratio": 1, "completion_ratio": 1},
]


async def test_a_price_that_is_not_exact_here_has_a_reason_in_its_place(
    server: ScriptedServer, client: RemoteClient
) -> None:
    whole = {"success": True, "data": EXACT, "group_ratio": {"default": 1, "vip": 0.5}}
    server.script("GET /api/pricing", raw(200, json.dumps(whole).encode(), {"content-type": "application/json"}))
    found = {price.model: price for price in await client.models.exact_prices("default")}
    assert {name: price.price for name, price in found.items() if price.price is not None} == {
        "cached": ModelPrice("cached", 150_000, 600_000, cached_input_per_million=75_000),
        "half": ModelPrice("half", 1, 1),
        "paint": ModelPrice("paint", 0, 0, per_request=40_000),
        "stub": ModelPrice("stub", 2_000_000, 4_000_000),
    }
    assert {name: price.note for name, price in found.items() if price.price is None} == {
        "free": "The server names no price for it.",
        "third": "It is no whole number of millionths of a dollar.",
        "below": "It is no whole number of millionths of a dollar.",
        "dab": "It is no whole number of millionths of a dollar.",
        "tiers": "It is charged by a rule there, and not by the token or by the request.",
        "other": "It is charged by a rule there, and not by the token or by the request.",
        "sound": "It has prices for audio, images or a written cache there, which have no place here.",
        "part": "The server does not tell it whole.",
        "\N{REPLACEMENT CHARACTER}name": "Its name holds characters that no name has here.",
    }
    vip = {price.model: price for price in await client.models.exact_prices("vip")}
    assert vip["stub"].price == ModelPrice("stub", 1_000_000, 2_000_000)
    assert vip["stub"].note == "at 0.5 of the list, as your group there"
    assert vip["half"].price is None
    assert {price.price for price in await client.models.exact_prices("unknown")} == {None}


async def test_models_are_listed(server: ScriptedServer, client: RemoteClient) -> None:
    server.script("GET /api/user/models", answer(["b", "a", "b", 7, "\x1bc"]), answer(None))
    assert await client.models.available() == ("a", "b", "\N{REPLACEMENT CHARACTER}c")
    assert await client.models.available() == ()
