"""A model server that refuses to report usage is streamed from all the same, and nobody can make it look like one."""

from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from store.store import Store
from tests.fakes.scripted_model_server import CHAT, DONE, USED, ModelServer, answer, said, stream
from tests.harness.gateway_client import client_of, make_relayed
from tests.harness.stores import sign_in

STREAMED: Final = {**CHAT, "stream": True}
PATH: Final = "/v1/chat/completions"
USAGE: Final = {"include_usage": True}


def refusing(body: Any, status: int = 400) -> Callable[[httpx.Request], httpx.Response]:
    def reply(request: httpx.Request) -> httpx.Response:
        if b"stream_options" in request.content:
            return answer(body, status)
        return stream(said("Hello"), said(" there"), DONE)

    return reply


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}}),
        (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]}),
        (400, {"object": "error", "message": "[{'loc': ('body', 'stream_options'), 'msg': 'not permitted'}]"}),
        (500, b"unknown field include_usage"),
    ],
)
@pytest.mark.parametrize("asks", [False, True])
async def test_a_server_that_refuses_to_report_usage_was_streamed_from_and_learned(
    store: Store, status: int, body: Any, *, asks: bool
) -> None:
    key, models = make_relayed(store), ModelServer(refusing(body, status))
    asked = {**STREAMED, "stream_options": {"include_usage": True, "include_obfuscation": False}} if asks else STREAMED
    async with client_of(store, token=key, upstream=models) as client:
        for calls in (1, 2, 3):
            passed = await client.post(PATH, json=asked)
            assert passed.status_code == 200
            assert passed.content == said("Hello") + said(" there") + DONE
            assert models.bodies[-calls:] == [STREAMED] * calls
    options = [body["stream_options"] for body in models.bodies[:-3]]
    assert options == ([{"include_obfuscation": False, **USAGE}] if asks else []) + [USAGE]
    entries = [logged.entry for logged in store.usage.page(sign_in(store)).entries]
    assert [(entry.status, entry.completion_tokens) for entry in entries] == [("ok", 2)] * 3
    assert {entry.detail for entry in entries} == {
        "The model server reported no usage; it was counted from the stream."
    }


@pytest.mark.parametrize("option", ["continuous_usage_stats", "include_obfuscation"])
async def test_a_refused_option_of_a_client_did_not_stop_the_reports_of_usage(store: Store, option: str) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if option.encode() in request.content:
            return answer({"error": {"message": f"Unknown parameter: stream_options.{option}"}}, 400)
        return stream(said("Hello"), USED, DONE)

    key, models = make_relayed(store), ModelServer(reply)
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post(PATH, json={**STREAMED, "stream_options": {option: True}})).status_code == 200
        assert (await client.post(PATH, json=STREAMED)).status_code == 200
    options = [body.get("stream_options") for body in models.bodies]
    assert options == [{option: True, **USAGE}, USAGE, USAGE]
    assert {logged.entry.detail for logged in store.usage.page(sign_in(store)).entries} == {""}


async def test_what_was_learned_of_one_server_was_not_believed_of_another(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(refusing(b"stream_options"))
    async with client_of(store, token=key, upstream=models) as client:
        await client.post(PATH, json=STREAMED)
        models.reply = lambda _: stream(said("Hello"), USED, DONE)
        store.site.set("upstream.base_url", "http://others.test/v1")
        while str(models.requests[-1].url) != "http://others.test/v1/chat/completions":
            passed = await client.post(PATH, json=STREAMED)
            assert passed.status_code == 200
    assert "stream_options" in models.bodies[-1]


async def test_a_client_could_not_make_a_server_look_like_one_that_refuses(store: Store) -> None:
    key = make_relayed(store)
    models = ModelServer(lambda _: answer({"error": {"message": "There is no tool called stream_options."}}, 400))
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post(PATH, json=STREAMED)
        assert refused.json()["error"]["message"] == "There is no tool called stream_options."
        assert refused.status_code == 400
        models.reply = lambda _: stream(said("Hello"), USED, DONE)
        await client.post(PATH, json=STREAMED)
    assert ["stream_options" in body for body in models.bodies] == [True, False, True]


@pytest.mark.parametrize(("status", "body"), [(400, b"no"), (404, b"stream_options"), (503, b"stream_options")])
async def test_another_refusal_was_not_asked_again(store: Store, status: int, body: bytes) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(body, status, **{"retry-after": "7"}))
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post(PATH, json=STREAMED)
    assert (refused.status_code, len(models.requests)) == (status, 1)
    assert refused.headers["retry-after"] == "7"


async def test_a_call_that_does_not_stream_was_asked_once(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(b"stream_options", 400))
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post(PATH, json=CHAT)).status_code == 400
    assert len(models.requests) == 1


@pytest.mark.parametrize(
    "options", [{"stream_options": {}}, {"include_usage": 1}, {"include_obfuscation": {}}, {"Include_Usage": True}, []]
)
async def test_options_of_a_stream_that_nobody_knows_were_refused(store: Store, options: Any) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post(PATH, json={**STREAMED, "stream_options": options})
    assert (refused.status_code, refused.json()["error"]["param"], models.requests) == (400, "stream_options", [])
