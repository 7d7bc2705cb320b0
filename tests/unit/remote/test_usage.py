"""The usage log: pages, filters and sums."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from remote.client import RemoteClient
from remote.usage import LogFilter, LogKind
from store.errors import InvalidNumber
from tests.harness.scripted_server import ScriptedServer, answer

AT = datetime(2026, 11, 26, 1, 44, 8, tzinfo=UTC)
ROW: dict[str, Any] = {
    "id": 1,
    "created_at": int(AT.timestamp()),
    "type": 2,
    "content": "",
    "token_name": "laptop",
    "model_name": "free-model",
    "quota": 56250,
    "prompt_tokens": 1000,
    "completion_tokens": 500,
    "use_time": 3,
    "is_stream": True,
    "group": "default",
    "ip": "127.0.0.1",
    "request_id": "2026",
    "other": '{"cache_tokens":7,"model_price":-1,"model_ratio":37.5}',
}


async def test_a_page_is_read_with_its_costs(server: ScriptedServer, client: RemoteClient) -> None:
    odd = ROW | {"type": 7, "other": "null", "content": "\x1b[2Jx", "quota": 0, "created_at": 0}
    server.script("GET /api/log/self", answer({"page": 1, "page_size": 2, "total": 3, "items": [ROW, odd]}))
    page = await client.usage.page(LogFilter(LogKind.CONSUMPTION, since=AT, model="free%"), 1, 2)
    first, second = page.entries
    assert (first.at, first.cost_micro_usd, first.is_unpriced, first.cached_tokens) == (AT, 112_500, True, 7)
    assert (second.kind, second.at, second.is_unpriced) == (LogKind.SIGN_IN, None, False)
    assert "\x1b" not in second.content
    assert page.has_next
    assert dict(server.seen[-1].url.params) == {
        "p": "1",
        "page_size": "2",
        "type": "2",
        "start_timestamp": str(int(AT.timestamp())),
        "end_timestamp": "0",
        "token_name": "",
        "model_name": "free%",
        "group": "",
    }


async def test_the_last_page_has_no_next_one(server: ScriptedServer, client: RemoteClient) -> None:
    server.script("GET /api/log/self", answer({"total": 1, "items": [ROW]}), answer({"total": 99, "items": None}))
    assert not (await client.usage.page(LogFilter())).has_next
    assert not (await client.usage.page(LogFilter())).has_next


@pytest.mark.parametrize(("page", "size"), [(0, 10), (1, 0), (1, 101)])
async def test_a_page_that_cannot_be_is_not_asked_for(page: int, size: int, client: RemoteClient) -> None:
    with pytest.raises(InvalidNumber):
        await client.usage.page(LogFilter(), page, size)
    with pytest.raises(InvalidNumber):
        await client.task_logs.drawings(page, size)
    with pytest.raises(InvalidNumber):
        await client.wallet.top_ups(page, size)


async def test_sums_are_read(server: ScriptedServer, client: RemoteClient) -> None:
    server.script("GET /api/log/self/stat", answer({"quota": 60250, "rpm": 3, "tpm": 4500}))
    totals = await client.usage.totals(LogFilter())
    assert (totals.cost_micro_usd, totals.requests_per_minute, totals.tokens_per_minute) == (120_500, 3, 4500)


async def test_statistics_reach_thirty_days_back(server: ScriptedServer, client: RemoteClient) -> None:
    row = {"model_name": "m", "created_at": int(AT.timestamp()), "token_used": 9, "count": 2, "quota": 5}
    server.script("GET /api/data/self", answer([row | {"created_at": 0}, row]), answer(None))
    (hour,) = await client.usage.statistics(AT - timedelta(days=400), AT)
    assert (hour.at, hour.model, hour.calls, hour.tokens, hour.cost_micro_usd) == (AT, "m", 2, 9, 10)
    asked = server.seen[-1].url.params
    assert int(asked["end_timestamp"]) - int(asked["start_timestamp"]) == 30 * 86400
    assert await client.usage.statistics(AT, AT) == ()
