"""Models and prices in dollars."""

import json

import pytest

from store.values.billing import ModelPrice
from tests.harness.scripted_server import answer, aug_server, raw, signed_in

pytestmark = pytest.mark.anyio

ROWS = [
    {"model_name": "stub", "quota_type": 0, "model_ratio": 1, "model_price": 0, "completion_ratio": 2},
    {"model_name": "cached", "quota_type": 0, "model_ratio": 0.075, "completion_ratio": 4, "cache_ratio": 0.5},
    {"model_name": "free", "quota_type": 0, "model_ratio": 37.5, "completion_ratio": 1},
    {"model_name": "paint", "quota_type": 1, "model_price": 0.04, "model_ratio": 0},
    {"model_name": ""},
]


async def test_prices_are_exact_and_of_the_group() -> None:
    server = aug_server()
    client = await signed_in(server)
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


async def test_models_are_listed() -> None:
    server = aug_server()
    client = await signed_in(server)
    server.script("GET /api/user/models", answer(["b", "a", "b", 7, "\x1bc"]), answer(None))
    assert await client.models.available() == ("a", "b", "\N{REPLACEMENT CHARACTER}c")
    assert await client.models.available() == ()
