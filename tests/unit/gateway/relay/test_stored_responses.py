"""Stored responses: what continues one is held for the whole conversation, and a failure forgets nothing."""

import json
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import select

from store.models import StoredResponseRow
from store.store import Store
from store.values.billing import ModelPrice
from tests.fakes.model_answers import typed_event
from tests.fakes.scripted_model_server import ModelServer, answer, stream
from tests.harness.gateway_client import MODEL, client_of, make_relayed
from tests.harness.stores import sign_in

PATH: Final = "/v1/responses"
USAGE: Final = {"input_tokens": 1_000, "output_tokens": 500, "total_tokens": 1_500}
SAID: Final[dict[str, Any]] = {"id": "resp_1", "object": "response", "status": "completed", "usage": USAGE}
ASKED: Final = {"model": MODEL, "input": "Hello", "max_output_tokens": 1_000}


def is_known(store: Store, name: str) -> bool:
    with store.database.read() as tx:
        return tx.execute(select(StoredResponseRow.c.id).where(StoredResponseRow.c.id == name)).scalar() is not None


async def test_what_continues_a_response_was_held_for_all_of_it(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(SAID))
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post(PATH, json={**ASKED, "store": True})).status_code == 200
        store.pricing.set(ModelPrice(MODEL, 1_000_000, 0))
        store.quota.adjust("alice", set_to=1_500, actor="test")
        poor = await client.post(PATH, json={**ASKED, "previous_response_id": "resp_1"})
        store.quota.adjust("alice", set_to=1_600, actor="test")
        rich = await client.post(PATH, json={**ASKED, "previous_response_id": "resp_1"})
    assert (poor.status_code, poor.json()["error"]["code"]) == (429, "insufficient_quota")
    assert rich.status_code == 200
    assert [json.loads(request.content)["store"] for request in models.requests] == [True, False]


@pytest.mark.parametrize("asks", [True, False, None])
async def test_only_a_response_that_was_to_be_stored_was_noted(store: Store, *, asks: bool | None) -> None:
    key = make_relayed(store)
    end = typed_event({"type": "response.completed", "response": {**SAID, "id": "resp_2"}})
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(SAID))) as client:
        await client.post(PATH, json={**ASKED, "store": asks})
    async with client_of(store, token=key, upstream=ModelServer(lambda _: stream(end))) as client:
        await client.post(PATH, json={**ASKED, "store": asks, "stream": True})
    assert is_known(store, "resp_1") is is_known(store, "resp_2") is (asks is True)


async def test_a_response_with_an_id_that_is_none_was_not_noted(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer({**SAID, "id": "../x"}))
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post(PATH, json={**ASKED, "store": True})).status_code == 200
    assert not is_known(store, "../x")


async def test_a_response_that_the_model_server_kept_was_not_forgotten(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(SAID))
    async with client_of(store, token=key, upstream=models) as client:
        await client.post(PATH, json={**ASKED, "store": True})
        models.reply = lambda _: answer({"error": {"message": "Busy"}}, 500)
        failed = await client.delete(f"{PATH}/resp_1")
        assert (failed.status_code, is_known(store, "resp_1")) == (502, True)
        models.reply = lambda _: answer({"error": {"message": "Gone"}}, 404)
        assert (await client.get(f"{PATH}/resp_1")).status_code == 404
        models.reply = lambda _: answer({"id": "resp_1", "deleted": True})
        assert (await client.delete(f"{PATH}/resp_1")).json() == {"id": "resp_1", "deleted": True}
    assert not is_known(store, "resp_1")
    assert [entry.entry.status for entry in store.usage.page(sign_in(store)).entries] == [
        "not_found_error",
        "upstream_error",
        "ok",
    ]


async def test_a_response_that_was_gone_was_forgotten(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(SAID))
    async with client_of(store, token=key, upstream=models) as client:
        await client.post(PATH, json={**ASKED, "store": True})
        models.reply = lambda _: answer({"error": {"message": "Gone"}}, 404)
        assert (await client.delete(f"{PATH}/resp_1")).status_code == 404
    assert not is_known(store, "resp_1")


async def test_a_read_counts_as_one_of_the_calls_under_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(SAID))
    async with client_of(store, token=key, upstream=models) as client:
        await client.post(PATH, json={**ASKED, "store": True})
        monkeypatch.setattr("gateway.relay.concurrency_limiter.MAX_CALLS_PER_ACCOUNT", 0)
        refused = [await client.get(f"{PATH}/resp_1"), await client.delete(f"{PATH}/resp_1")]
    assert [response.status_code for response in refused] == [429, 429]
    assert len(models.requests) == 1


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/resp_1?stream=true", "stream"),
        ("/resp_1/input_items?limit=0", "limit"),
        ("/resp_1/input_items?order=up", "order"),
        ("/resp_1/input_items?after=a/b", "after"),
        ("/resp_2", "response_id"),
        ("/a%00b", "response_id"),
    ],
)
async def test_what_cannot_be_read_was_named(store: Store, path: str, param: str) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(SAID))
    async with client_of(store, token=key, upstream=models) as client:
        await client.post(PATH, json={**ASKED, "store": True})
        refused = await client.get(PATH + path)
        read = await client.get(f"{PATH}/resp_1/input_items?limit=5&after=msg_1&include=x")
    assert (refused.status_code in (400, 404), refused.json()["error"]["param"]) == (True, param)
    assert read.status_code == 200
    assert httpx.URL(models.requests[-1].url).params == httpx.QueryParams("limit=5&order=desc&after=msg_1")
    assert len(models.requests) == 2
