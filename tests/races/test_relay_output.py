"""Many calls at once whose answers are as long as the model can make them: nobody spends what is not there."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from store.store import Store
from store.values.api_keys import ApiKeyLimits
from store.values.billing import ModelPrice
from tests.fakes.model_answers import Asked
from tests.fakes.model_server import ModelServer
from tests.harness.live_servers import live
from tests.harness.served_gateway import several
from tests.harness.stores import add_account, make_ring, sign_in

MODEL: Final = "gpt-priced"
LONGEST: Final = 64_000
PER_MILLION: Final = 600_000
"""Micro-USD: the longest answer costs $0.0384."""
BALANCE: Final = 50_000
ON_KEY: Final = 20_000


class Talker(ModelServer):
    """A model that answers as long as it can, or as it may if it `obeys`. `value` is what its answers are worth."""

    def __init__(self, *, obeys: bool) -> None:
        super().__init__()
        self.obeys = obeys
        self.value = 0
        self.fault = self._talk

    def _talk(self, asked: Asked) -> Response:
        limit = asked.body.get("max_tokens") if self.obeys else None
        tokens = min(limit or LONGEST, LONGEST)
        self.value += -(-tokens * PER_MILLION // 1_000_000)
        usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": tokens + 10}
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}}
        return JSONResponse({"object": "chat.completion", "choices": [choice], "usage": usage})


async def call_at_once(urls: list[str], key: str, times: int, body: dict[str, Any]) -> Counter[int]:
    """The number of answers by status, of `times` parallel calls."""
    headers = {"Authorization": f"Bearer {key}"}
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], **body}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(headers=headers, timeout=120, limits=limits) as client:
        posts = (client.post(f"{urls[n % len(urls)]}/v1/chat/completions", json=asked) for n in range(times))
        return Counter(answer.status_code for answer in await asyncio.gather(*posts))


@pytest.mark.parametrize("times", [20, pytest.param(400, marks=pytest.mark.long)])
@pytest.mark.parametrize("limit", ["balance", "key"])
@pytest.mark.parametrize("obeys", [True, False])
async def test_neither_balance_nor_key_was_overspent(
    store: Store, url: str, database_kind: str, tmp_path: Path, obeys: bool, limit: str, times: int
) -> None:
    add_account(store)
    store.pricing.set(ModelPrice(MODEL, 0, PER_MILLION, max_output_tokens=LONGEST))
    free = BALANCE if limit == "balance" else ON_KEY
    store.quota.adjust("alice", set_to=BALANCE if limit == "balance" else 10 * BALANCE, actor="test")
    session = sign_in(store)
    key = store.api_keys.create(
        session, "laptop", ApiKeyLimits(spend_limit_micro_usd=ON_KEY if limit == "key" else None)
    ).key
    if not obeys:
        store.site.set("upstream.output_limit", "ignored")
    models = Talker(obeys=obeys)
    with live(models.app) as upstream:
        store.site.set("upstream.base_url", f"{upstream}/v1")
        with several(2, tmp_path, url, make_ring()) as gateways:
            urls = [gateway.url for gateway in gateways]
            statuses = await call_at_once(urls, key, times, {})
            statuses += await call_at_once(urls, key, times, {"max_tokens": 1_000})
    state = store.quota.state(session)
    assert set(statuses) <= {200, 429}
    assert state.held_micro_usd == 0
    assert state.used_micro_usd == models.value == store.api_keys.list(session)[0].spent_micro_usd <= free
    assert statuses[200] == len(models.asked)
    if obeys:
        assert models.value > free * 0.9  # what there was could be spent
    print(
        f"BAR C2-{database_kind}-{limit}-{'obeys' if obeys else 'ignores'} "
        f"2 x {times} calls at once of up to {LONGEST} tokens: "
        f"{statuses[200]} answered, worth and charged {models.value} of {free} micro-USD"
    )
