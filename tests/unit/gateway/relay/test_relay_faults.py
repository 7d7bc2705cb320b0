"""A model server that refuses, fails or lies: what the client is told, what is logged, and that nothing is taken."""

import json
from typing import Any

import httpx
import pytest

from gateway.model_server.client import MAX_ERROR_BYTES, connection_problem
from gateway.model_server.error_reasons import mask_secrets
from gateway.network_errors import SENTENCES
from store.sections import PriceSettings
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry
from tests.fakes.scripted_model_server import CHAT, DONE, USED, Chunks, ModelServer, answer, chat, said
from tests.harness.gateway_client import UPSTREAM_KEY, client_of, make_relayed
from tests.harness.stores import add_account, sign_in
from tests.harness.usage_log import entries_of, entry_of, used_of


async def ask(store: Store, models: ModelServer, **changes: Any) -> httpx.Response:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=models) as client:
        return await client.post("/v1/chat/completions", json={**CHAT, **changes})


def nothing_was_taken(store: Store) -> UsageEntry:
    """The one line of the log, which says that it failed."""
    entry = entry_of(store)
    assert (used_of(store), entry.kind, entry.cost_micro_usd) == (0, Kind.ERROR, 0)
    return entry


def error_of(refused: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = refused.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert UPSTREAM_KEY not in refused.text + str(refused.headers)
    assert "models.test" not in refused.text
    return error


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (400, 400),
        (404, 404),
        (409, 409),
        (413, 413),
        (415, 415),
        (422, 422),
        (429, 429),
        (401, 502),
        (402, 502),
        (403, 403),
        (405, 502),
        (418, 502),
        (500, 502),
        (502, 502),
        (503, 503),
        (529, 503),
        (504, 502),
        (599, 502),
        (301, 502),
        (302, 502),
        (304, 502),
        (101, 502),
    ],
)
async def test_a_refusal_was_told_on_only_if_it_was_the_clients_doing(store: Store, status: int, told: int) -> None:
    said = {"message": f"Key {UPSTREAM_KEY} of sk-live-abcd1234: no.\n\x1b[31m", "type": "t", "param": "p", "code": "c"}
    models = ModelServer(lambda _: answer({"error": said}, status, location="http://127.0.0.1/", retry_after="7"))
    refused = await ask(store, models)
    assert refused.status_code == told
    error = error_of(refused)
    assert "abcd1234" not in refused.text
    assert "\x1b" not in error["message"]
    if status == told < 500:
        assert error == {"message": "Key … of sk-…: no. �[31m", "type": "t", "param": "p", "code": "c"}
    else:
        assert error["message"].startswith(f"The model server answered {status}")
        assert error["code"] == "upstream_error"
    assert len(models.requests) == 1
    assert nothing_was_taken(store).status == error["code"]


async def test_retry_after_was_passed_on_if_it_is_a_number(store: Store) -> None:
    key = make_relayed(store)
    values = iter(["30", "Fri, 31 Dec 1999 23:59:59 GMT", "999999", "-1", "", "1\x0b0"])
    models = ModelServer(lambda _: answer({}, 429, **{"retry-after": next(values)}))
    async with client_of(store, token=key, upstream=models) as client:
        told = [(await client.post("/v1/chat/completions", json=CHAT)).headers.get("retry-after") for _ in range(6)]
    assert told == ["30", None, None, None, None, None]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"<html><p> .</p></html>",
        b"[]",
        b"null",
        b'{"error": {"message": 7}}',
        b'{"error": " "}',
        b'{"error": [7, {}]}',
        b'{"object": "error", "message": null}',
        b'{"message": {"message": {"message": {"message": {"message": "text"}}}}}',
        b"\xff" * 100,
    ],
)
async def test_a_refusal_without_words_was_told_with_ours(store: Store, body: bytes) -> None:
    refused = await ask(store, ModelServer(lambda _: answer(body, 400)))
    assert refused.status_code == 400
    assert error_of(refused)["message"] == "The model server answered 400."


@pytest.mark.parametrize(
    "shape",
    [
        '{{"error": {0}}}',
        '{{"object": "error", "message": {0}, "code": 400}}',
        '{{"object": "error", "error": {{"message": {0}}}}}',
    ],
)
async def test_the_sentence_of_a_refusal_in_another_shape_was_told(store: Store, shape: str) -> None:
    sentence = f"Key {UPSTREAM_KEY} of sk-live-abcd1234:\nthe prompt is too long."
    body = shape.format(json.dumps(sentence)).encode()
    refused = await ask(store, ModelServer(lambda _: answer(body, 400)))
    assert refused.status_code == 400
    message = "Key … of sk-…: the prompt is too long."
    assert error_of(refused) == {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    assert nothing_was_taken(store).detail == message


@pytest.mark.parametrize(("status", "told"), [(400, 400), (422, 422), (500, 502), (401, 502)])
async def test_an_endless_refusal_was_not_read_to_its_end(store: Store, status: int, told: int) -> None:
    chunks = Chunks([b"x" * 4096] * 1000)
    models = ModelServer(lambda _: httpx.Response(status, stream=chunks))
    refused = await ask(store, models)
    assert refused.status_code == told
    assert error_of(refused)["message"].startswith(f"The model server answered {status}")
    assert chunks.is_closed
    assert MAX_ERROR_BYTES < 4096 * 1000


async def test_a_refusal_that_was_compressed_kept_its_status(store: Store) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        return httpx.Response(413, headers={"content-encoding": "gzip"}, stream=Chunks([b"\x1f\x8b"]))

    refused = await ask(store, ModelServer(reply))
    assert (refused.status_code, error_of(refused)["message"]) == (413, "The model server answered 413.")


@pytest.mark.parametrize(
    "content", [b"", b"<html>hello</html>", b"[]", b"null", b'"text"', b'{"a":', b"\xff\xfe", b"[" * 100_000]
)
async def test_an_answer_that_was_no_answer_was_a_502(store: Store, content: bytes) -> None:
    refused = await ask(store, ModelServer(lambda _: answer(content)))
    assert refused.status_code == 502
    assert error_of(refused)["message"] == "The model server's answer was not a JSON object."
    nothing_was_taken(store)


async def test_an_answer_that_was_compressed_was_a_502(store: Store) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Chunks([b"\x1f\x8b"]))

    assert (await ask(store, ModelServer(reply))).status_code == 502
    nothing_was_taken(store)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "text/html; x=text/event-stream"},
        {},
        {"content-type": "text/event-stream", "content-encoding": "gzip"},
    ],
)
async def test_an_answer_that_was_no_event_stream_was_a_502(store: Store, headers: dict[str, str]) -> None:
    document = Chunks([json.dumps(chat()).encode()])
    refused = await ask(
        store, ModelServer(lambda _: httpx.Response(200, headers=headers, stream=document)), stream=True
    )
    assert refused.status_code == 502
    assert error_of(refused)["message"] == "The model server's answer was not an event stream, as was asked of it."
    assert document.is_closed
    entry = nothing_was_taken(store)
    assert (entry.status, "event stream" in entry.detail) == ("upstream_failed", True)


async def test_an_event_stream_was_known_in_any_letters(store: Store) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        headers = {"content-type": "Text/Event-Stream; charset=utf-8", "content-encoding": "identity"}
        return httpx.Response(200, headers=headers, stream=Chunks([said("Hi"), USED, DONE]))

    passed = await ask(store, ModelServer(reply), stream=True)
    assert passed.content == said("Hi") + DONE


async def test_the_gateways_key_was_masked_in_an_answer_that_echoed_it(store: Store) -> None:
    echo = chat(system_fingerprint=f"Bearer {UPSTREAM_KEY}")
    passed = await ask(store, ModelServer(lambda _: answer(echo)))
    assert passed.status_code == 200
    assert UPSTREAM_KEY not in passed.text
    assert passed.json()["system_fingerprint"] == "Bearer ..."


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (httpx.ConnectError("secret"), 502, "upstream_unreachable"),
        (httpx.ConnectTimeout("secret"), 504, "upstream_timeout"),
        (httpx.ReadTimeout("secret"), 504, "upstream_timeout"),
        (httpx.PoolTimeout("secret"), 504, "upstream_timeout"),
        (httpx.ReadError("secret"), 502, "upstream_broken"),
        (httpx.RemoteProtocolError("secret"), 502, "upstream_broken"),
        (httpx.WriteError("secret"), 502, "upstream_broken"),
        (OSError("secret"), 502, "upstream_broken"),
        (TimeoutError("secret"), 504, "upstream_timeout"),
    ],
)
@pytest.mark.parametrize("is_midway", [False, True])
async def test_a_connection_that_failed_was_told_without_its_address(
    store: Store, error: Exception, status: int, code: str, *, is_midway: bool
) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        if is_midway:
            return httpx.Response(200, stream=Chunks([b'{"choices"', error]))
        raise error

    refused = await ask(store, ModelServer(reply))
    assert refused.status_code == status
    assert error_of(refused)["code"] == code
    assert "secret" not in refused.text
    assert nothing_was_taken(store).status == code


def test_every_failure_of_httpx_has_a_problem() -> None:
    for kind in SENTENCES:
        if issubclass(kind, httpx.HTTPError):
            assert connection_problem(kind.__new__(kind)).status in (502, 504)


async def test_without_a_model_server_nothing_was_asked(store: Store) -> None:
    key = make_relayed(store)
    store.site.unset("upstream.base_url")
    async with client_of(store, token=key) as client:
        refused = await client.post("/v1/chat/completions", json=CHAT)
    assert refused.status_code == 503
    assert error_of(refused)["code"] == "upstream_missing"
    nothing_was_taken(store)


async def test_a_mistake_of_ours_gave_back_what_was_held(store: Store) -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError("secret")

    refused = await ask(store, ModelServer(reply))
    assert refused.status_code == 500
    assert "secret" not in refused.text
    assert error_of(refused)["type"] == "server_error"
    nothing_was_taken(store)


def test_what_looks_like_a_key_was_masked() -> None:
    assert mask_secrets("Incorrect API key provided: sk-up****1234.", "") == "Incorrect API key provided: sk-…."
    assert mask_secrets("it was upstream-key", "upstream-key") == "it was …"


# -- batches and models ------------------------------------------------------------------------------------------


def begun(name: str = "batch_1", status: str = "validating") -> dict[str, str]:
    return {"id": name, "object": "batch", "status": status}


BATCH = {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"}


async def test_a_batch_was_found_only_by_the_account_that_began_it(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(begun()))
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    add_account(store, "bob", email="bob@example.com")
    others = store.api_keys.create(sign_in(store, "bob"), "key").key
    async with (
        client_of(store, token=key, upstream=models) as alice,
        client_of(store, token=others, upstream=models) as bob,
    ):
        assert (await alice.post("/v1/batches", json=BATCH)).status_code == 200
        models.requests.clear()
        assert (await bob.get("/v1/batches/batch_1")).status_code == 404
        for name in ("batch_2", "..", "%2e%2e%2fmodels", "a b", "x" * 101, "%00", "batch_1%0d%0a"):
            assert (await alice.get(f"/v1/batches/{name}")).status_code == 404, name
        assert models.requests == []
        models.reply = lambda _: answer(begun(status="completed"))
        found = await alice.get("/v1/batches/batch_1")
    assert found.json()["status"] == "completed"
    assert str(models.requests[0].url) == "http://models.test/v1/batches/batch_1"
    assert entries_of(store)[0].status == "completed"


@pytest.mark.parametrize(
    "document",
    [{}, {"id": "batch_1"}, {"id": "../x", "status": "s"}, {"id": 7, "status": "s"}, {"id": "", "status": "s"}],
)
async def test_an_answer_that_was_no_batch_was_a_502(store: Store, document: dict[str, Any]) -> None:
    key = make_relayed(store)
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(document))) as client:
        assert (await client.post("/v1/batches", json=BATCH)).status_code == 502
    nothing_was_taken(store)


async def test_the_logged_status_of_a_batch_told_neither_the_key_nor_where_the_model_server_is(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(begun(status=f"at models.test for {UPSTREAM_KEY}")))
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post("/v1/batches", json=BATCH)).status_code == 200
        assert entries_of(store)[0].status == "at … for …"
        models.reply = lambda _: answer(begun(status=f"done at models.test with {UPSTREAM_KEY}"))
        assert (await client.get("/v1/batches/batch_1")).status_code == 200
    assert entries_of(store)[0].status == "done at … with …"


async def test_models_without_a_price_were_listed_only_where_accepted(store: Store) -> None:
    key = make_relayed(store)
    listed = {"data": [{"id": "lab/free", "created": 5, "owned_by": "lab"}, {"id": "\x1b"}, {"id": 7}, "x"]}
    models = ModelServer(lambda _: answer(listed))
    async with client_of(store, token=key, upstream=models) as client:
        assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == ["gpt-priced"]
        assert (await client.get("/v1/models/lab/free")).status_code == 404
        assert models.requests == []
        store.settings.save(sign_in(store), PriceSettings(accept_unpriced_models=True), 1)
        assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == ["gpt-priced", "lab/free"]
        one = await client.get("/v1/models/lab/free")
        assert one.json() == {"id": "lab/free", "object": "model", "created": 5, "owned_by": "lab"}
        refusals = iter((500, 400, 422, 429))
        models.reply = lambda _: answer({"error": {"message": "no"}}, next(refusals))
        assert [(await client.get("/v1/models")).status_code for _ in range(4)] == [502, 502, 502, 429]
        models.reply = lambda _: answer({"error": {"message": "no"}}, 404)
        assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == ["gpt-priced"]


async def test_every_answer_carried_the_name_of_its_request(store: Store) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        answers = [
            await client.post("/v1/chat/completions", json=CHAT),
            await client.post("/v1/chat/completions", json={}),
            await client.get("/v1/models"),
            await client.get("/v1/batches/none"),
            await client.post("/v1/chat/completions", json=CHAT, headers={"Authorization": "Bearer x"}),
        ]
    names = [each.headers["x-request-id"] for each in answers]
    assert len(set(names)) == len(names)
    assert all(name.startswith("req_") for name in names)
    assert json.loads(answers[3].content)["error"]["param"] == "batch_id"
