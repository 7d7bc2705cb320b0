"""Files and batches of accounts: nobody reaches another's, an upload is bounded, and nothing is lost half-way."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import select

from gateway.app import create_app
from gateway.model_server.client import ModelServerClient
from store import relay_files
from store.errors import DatabaseBusy
from store.models import RelayFileRow
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from store.values.billing import ModelPrice
from store.values.usage import Kind
from tests.fakes.scripted_model_server import Chunks, ModelServer, answer
from tests.harness.gateway_client import FILE_ID, UPSTREAM_KEY, client_of, make_relayed
from tests.harness.guarded_servers import guarded
from tests.harness.stores import add_account, sign_in
from tests.harness.usage_log import entries_of

FILE: Final = {
    "id": "file-7",
    "object": "file",
    "bytes": 5,
    "created_at": 1_700_000_000,
    "filename": "in.jsonl",
    "purpose": "batch",
    "status": "processed",
}
MIB: Final = 1024 * 1024


def owners(store: Store) -> dict[str, int]:
    with store.database.read() as tx:
        return {row.id: row.account_id for row in tx.execute(select(RelayFileRow))}


async def upload(client: httpx.AsyncClient, content: bytes = b"{}\n", **form: str) -> httpx.Response:
    fields = {"purpose": "batch", **form}
    return await client.post("/v1/files", files={"file": ("in.jsonl", content)}, data=fields)


def bobs(store: Store) -> str:
    add_account(store, "bob", email="bob@example.com")
    return store.api_keys.create(sign_in(store, "bob"), "key").key


async def test_an_upload_is_passed_on_as_it_is_and_noted(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(FILE))
    async with client_of(store, token=key, upstream=models) as client:
        made = await upload(client, b"\x00\xff" * 1000)
        assert (made.status_code, made.json()["id"], made.json()["filename"]) == (200, "file-7", "in.jsonl")
    (sent,) = models.requests
    assert str(sent.url) == "http://models.test/v1/files"
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert sent.headers["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert b"\x00\xff" * 1000 in sent.content
    assert owners(store) == {FILE_ID: 1, "file-7": 1}
    (entry,) = entries_of(store)
    assert (entry.kind, entry.model, entry.status, entry.cost_micro_usd) == (Kind.TASK, "file", "uploaded", 0)
    assert entry.detail == "in.jsonl, 5 bytes, batch: file-7"


@pytest.mark.parametrize("announced", [True, False])
async def test_an_upload_is_bounded_by_the_site(store: Store, announced: bool) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(FILE))
    store.site.set("limits.file_mib", "1")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * (MIB // 2)

    content: Any = b"x" * (MIB + 1) if announced else chunks()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with client_of(store, token=key, upstream=models) as client:
        refused = await client.post("/v1/files", content=content, headers=headers)
    assert refused.status_code == 413
    assert refused.json()["error"]["message"] == "A file has at most 1 MiB here."
    assert owners(store) == {FILE_ID: 1}
    assert [entry.kind for entry in entries_of(store)] == [Kind.ERROR]


async def test_what_is_no_form_or_has_no_money_is_refused(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(FILE))
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post("/v1/files", json={})).status_code == 415
        for media_type in ("multipart/form-data", "multipart/mixed; boundary=b", "multipart/form-data; boundary=", "x"):
            refused = await client.post("/v1/files", content=b"x", headers={"Content-Type": media_type})
            assert refused.status_code == 415, media_type
        store.quota.adjust("alice", set_to=0, actor="test")
        assert (await upload(client)).status_code == 429
    assert models.requests == []


@pytest.mark.parametrize("document", [{}, {"id": "../x"}, {"id": 7}, {"id": "x" * 101}, [], None])
async def test_an_answer_that_is_no_file_is_a_502(store: Store, document: Any) -> None:
    key = make_relayed(store)
    reply = answer(json.dumps(document).encode() if document is not None else b"nonsense")
    async with client_of(store, token=key, upstream=ModelServer(lambda _: reply)) as client:
        assert (await upload(client)).status_code == 502
    assert owners(store) == {FILE_ID: 1}


async def test_nobody_reaches_another_accounts_file(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(FILE))
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    async with client_of(store, token=bobs(store), upstream=models) as bob:
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
            for name in (FILE_ID, "..", "%2e%2e%2fmodels", "x" * 101, "file-1%0d%0a", "other"):
                assert (await bob.request(method, f"/v1/files/{name}{path}")).status_code == 404, (method, name)
        batch = {"input_file_id": FILE_ID, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        refused = await bob.post("/v1/batches", json=batch)
        assert (refused.status_code, refused.json()["error"]["param"]) == (404, "input_file_id")
        assert (await bob.get("/v1/files")).json()["data"] == []
        assert (await bob.get(f"/v1/files?after={FILE_ID}")).status_code == 404
        assert models.requests == []
    assert [entry.status for entry in entries_of(store, "bob")] == ["file_not_found"]
    async with client_of(store, token=key, upstream=models) as alice:
        assert (await alice.get(f"/v1/files/{FILE_ID}")).json() == FILE


async def test_a_file_id_that_the_model_server_gives_twice_stays_with_its_owner(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer({**FILE, "id": FILE_ID}))
    async with client_of(store, token=bobs(store), upstream=models) as bob:
        assert (await upload(bob)).status_code == 404
    assert [request.method for request in models.requests] == ["POST"], "the other account's file was not deleted"
    assert owners(store) == {FILE_ID: 1}
    assert key


async def test_an_upload_that_could_not_be_noted_is_deleted_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(FILE))

    def busy(*_: Any, **__: Any) -> None:
        raise DatabaseBusy

    async with client_of(store, token=key, upstream=models) as client:
        monkeypatch.setattr(relay_files.RelayFiles, "register", busy)
        assert (await upload(client)).status_code == 503
    assert [(request.method, request.url.path) for request in models.requests] == [
        ("POST", "/v1/files"),
        ("DELETE", "/v1/files/file-7"),
    ]


async def test_an_account_has_a_number_of_files(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(FILE))
    monkeypatch.setattr(relay_files, "MAX_FILES", 1)
    async with client_of(store, token=key, upstream=models) as client:
        assert (await upload(client)).status_code == 409
        assert models.requests == []
        models.reply = lambda _: answer({"id": FILE_ID, "deleted": True})
        assert (await client.delete(f"/v1/files/{FILE_ID}")).json()["deleted"] is True
        entry = entries_of(store)[0]
        assert (entry.kind, entry.model, entry.status, entry.detail) == (Kind.TASK, "file", "deleted", FILE_ID)
        models.reply = lambda _: answer(FILE)
        assert (await upload(client)).status_code == 200


async def test_a_file_that_the_model_server_has_lost_is_forgotten(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer({"error": {"message": "no such file"}}, 404))
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.get(f"/v1/files/{FILE_ID}")).status_code == 404
        assert (await client.delete(f"/v1/files/{FILE_ID}")).status_code == 200
    assert owners(store) == {}


async def test_files_are_listed_by_pages(store: Store) -> None:
    key = make_relayed(store)
    with store.database.write() as tx:
        for number in range(2, 6):
            store.relay_files.register(tx, 1, f"file-{number}", filename="f", purpose="batch")
        store.relay_files.register(tx, 1, "file-out", filename="o", purpose="batch_output", task_id="batch_1")
    async with client_of(store, token=key) as client:
        seen, after = [], ""
        while True:
            page = (await client.get(f"/v1/files?limit=2{after}")).json()
            seen += [file["id"] for file in page["data"]]
            if not page["has_more"]:
                break
            after = f"&after={page['last_id']}"
        assert sorted(seen) == sorted(owners(store))
        only = (await client.get("/v1/files?purpose=batch_output")).json()["data"]
        assert [file["id"] for file in only] == ["file-out"]
        for wrong in ("limit=0", "limit=x", "limit=10001", "order=up"):
            assert (await client.get(f"/v1/files?{wrong}")).status_code == 400


async def test_content_is_passed_on_with_the_gateways_key_masked(store: Store) -> None:
    secret = UPSTREAM_KEY.encode()
    stream = Chunks([b"before " + secret[:5], secret[5:] + b" after\n", b"end"])
    key, models = make_relayed(store), ModelServer(lambda _: httpx.Response(200, stream=stream))
    async with client_of(store, token=key, upstream=models) as client:
        found = await client.get(f"/v1/files/{FILE_ID}/content")
    assert found.content == b"before ... after\nend"
    assert (found.headers["content-type"], found.headers["x-content-type-options"]) == (
        "application/octet-stream",
        "nosniff",
    )
    assert stream.is_closed


@pytest.mark.parametrize("before", [[], [b"x" * 1000]], ids=["at once", "later"])
def test_content_that_breaks_off_is_not_whole_and_was_foreseen(
    store: Store, caplog: pytest.LogCaptureFixture, before: list[bytes]
) -> None:
    stream = Chunks([*before, httpx.ReadError("gone")])
    key, models = make_relayed(store), ModelServer(lambda _: httpx.Response(200, stream=stream))
    app = create_app(store, model_server=ModelServerClient(models), dispatches=False)
    with guarded(app) as gateway:
        asked = f"GET /v1/files/{FILE_ID}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
        said = gateway.ask(asked.encode())
    assert said.startswith(b"HTTP/1.1 200 OK")
    assert (b"x" * 900 in said) == bool(before)
    assert not said.endswith(b"\r\n0\r\n\r\n"), "the chunk that ends a whole body"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    (entry,) = entries_of(store)
    assert (entry.kind, entry.model, entry.status) == (Kind.ERROR, "file", "upstream_broken")
    assert stream.is_closed


def test_content_that_breaks_off_resets_a_connection_of_http_1_0(store: Store) -> None:
    """There the end of the connection would be the end of the content, for a proxy too."""
    stream = Chunks([b"x" * 1000, httpx.ReadError("gone")])
    key, models = make_relayed(store), ModelServer(lambda _: httpx.Response(200, stream=stream))
    app = create_app(store, model_server=ModelServerClient(models), dispatches=False)
    asked = f"GET /v1/files/{FILE_ID}/content HTTP/1.0\r\nAuthorization: Bearer {key}\r\n\r\n"
    with guarded(app) as gateway, gateway.connect(asked.encode()) as connection, pytest.raises(ConnectionResetError):
        b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("answered", [httpx.Response(503), httpx.Response(200, headers={"content-encoding": "gzip"})])
async def test_content_that_cannot_be_passed_on_is_a_logged_error(store: Store, answered: httpx.Response) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answered)
    async with client_of(store, token=key, upstream=models) as client:
        found = await client.get(f"/v1/files/{FILE_ID}/content")
    assert found.status_code in (502, 503)
    assert [(entry.kind, entry.model) for entry in entries_of(store)] == [(Kind.ERROR, "file")]


async def test_a_purpose_that_no_file_has_is_an_empty_list(postgres_store: Store) -> None:
    key = make_relayed(postgres_store)
    async with client_of(postgres_store, token=key) as client:
        for purpose in ("%00", "%1b", "%E2%80%AE"):
            listed = await client.get(f"/v1/files?purpose={purpose}")
            assert (listed.status_code, listed.json()["data"]) == (200, []), purpose


@pytest.mark.parametrize(
    "document",
    [
        b'{"id":"file-7","filename":"\\ud800","purpose":["x"],"bytes":1e400}',
        b'{"id":"file-7","bytes":NaN}',
        b'{"id":"file-7","bytes":' + b"9" * 90 + b"}",
    ],
    ids=["half-fits", "nan", "long-number"],
)
async def test_a_strange_description_of_an_upload_is_noted_as_far_as_it_fits(store: Store, document: bytes) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(document))) as client:
        made = await upload(client)
        assert (made.status_code, made.json()["id"], made.json()["purpose"]) == (200, "file-7", "")
        assert made.json() in (await client.get("/v1/files")).json()["data"]


@pytest.mark.parametrize(
    "document",
    [b'{"id":' + b"[" * 30_000 + b"]" * 30_000 + b"}", b'{"n":' + b"9" * 5_000 + b"}"],
    ids=["deep", "long-number"],
)
async def test_a_description_that_cannot_be_read_is_a_502(store: Store, document: bytes) -> None:
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(document))) as client:
        assert (await upload(client)).status_code == 502


# -- batches ------------------------------------------------------------------------------------------------------


def batch(name: str = "batch_1", status: str = "in_progress", **more: Any) -> dict[str, Any]:
    return {"id": name, "object": "batch", "status": status, **more}


async def begin(client: httpx.AsyncClient) -> httpx.Response:
    body = {"input_file_id": FILE_ID, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return await client.post("/v1/batches", json=body)


async def test_reading_a_batch_notes_its_progress_and_its_files(store: Store) -> None:
    key, models = make_relayed(store), ModelServer(lambda _: answer(batch(status="validating")))
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    async with client_of(store, token=key, upstream=models) as client:
        assert (await begin(client)).status_code == 200
        assert [(entry.task_done, entry.task_total) for entry in entries_of(store)] == [(None, None)]
        counts = {"total": 5, "completed": 2, "failed": 1}
        models.reply = lambda _: answer(batch(request_counts=counts))
        await client.get("/v1/batches/batch_1")
        assert [(entry.status, entry.task_done, entry.task_total) for entry in entries_of(store)] == [
            ("in_progress", 3, 5)
        ]
        done = batch(status="completed", output_file_id="file-out", error_file_id="file-err", request_counts="?")
        models.reply = lambda _: answer(done)
        for _ in "ab":
            await client.get("/v1/batches/batch_1")
        assert [(entry.status, entry.task_done, entry.task_total) for entry in entries_of(store)] == [
            ("completed", 3, 5)
        ]
        models.reply = lambda _: httpx.Response(200, content=b"result\n")
        assert (await client.get("/v1/files/file-out/content")).content == b"result\n"
    assert owners(store) == {FILE_ID: 1, "file-out": 1, "file-err": 1}


@pytest.mark.parametrize(
    ("strange", "is_listed"),
    [
        (b'"cost":NaN', False),
        (b'"cost":1e999', False),
        (b'"metadata":{"a":"\\ud800"}', True),
        (b'"n":' + b"[" * 30_000 + b"]" * 30_000, False),
        (b'"n":' + b"9" * 5_000, False),
    ],
    ids=["nan", "infinite", "surrogate", "deep", "long-number"],
)
async def test_listing_batches_notes_them_and_leaves_out_what_cannot_be_written(
    store: Store, strange: bytes, is_listed: bool
) -> None:
    key, names = make_relayed(store), iter(("batch_1", "batch_2"))
    models = ModelServer(lambda _: answer(batch(next(names))))
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    done = batch(
        status="completed", output_file_id="file-out", request_counts={"total": 1, "completed": 1, "failed": 0}
    )

    def described(request: httpx.Request) -> httpx.Response:
        is_first = request.url.path.endswith("batch_1")
        return answer(done if is_first else b'{"id":"batch_2","status":"failed",' + strange + b"}")

    async with client_of(store, token=key, upstream=models) as client:
        for _ in "ab":
            assert (await begin(client)).status_code == 200
        models.reply = described
        listed = await client.get("/v1/batches")
        assert (listed.status_code, listed.headers["content-type"]) == (200, "application/json")
        assert [each["id"] for each in listed.json()["data"]] == [*(["batch_2"] if is_listed else []), "batch_1"]
        assert (await client.get("/v1/files/file-out/content")).status_code == 200
    entry = next(entry for entry in entries_of(store) if entry.request_id == "batch_1")
    assert (entry.status, entry.task_done, entry.task_total) == ("completed", 1, 1)
    assert owners(store) == {FILE_ID: 1, "file-out": 1}


async def test_a_long_description_of_one_batch_does_not_fail_the_list(store: Store) -> None:
    key, names = make_relayed(store), iter(("batch_1", "batch_2"))
    models = ModelServer(lambda _: answer(batch(next(names))))
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    faults = [{"code": "invalid_json_line", "line": number, "message": "x" * 100} for number in range(1000)]

    def described(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("batch_1"):
            return answer(batch("batch_1", "failed", errors={"data": faults}, output_file_id="file-out"))
        return answer(batch("batch_2", "completed"))

    async with client_of(store, token=key, upstream=models) as client:
        for _ in "ab":
            assert (await begin(client)).status_code == 200
        models.reply = described
        listed = await client.get("/v1/batches")
        assert listed.status_code == 200
        short = {"id": "batch_1", "object": "batch", "status": "in_progress"}
        assert listed.json()["data"] == [batch("batch_2", "completed"), short]
        alone = (await client.get("/v1/batches/batch_1")).json()
        assert (alone["status"], len(alone["errors"]["data"])) == ("failed", 1000)
        assert (await client.get("/v1/batches")).json()["data"][1] == {**short, "status": "failed"}


async def test_a_batch_id_that_the_model_server_gives_twice_hides_no_other(store: Store) -> None:
    key, names = make_relayed(store), iter(("batch_1", "batch_2", "batch_2"))
    models = ModelServer(lambda _: answer(batch(next(names))))
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    async with client_of(store, token=key, upstream=models) as client:
        for _ in "abc":
            assert (await begin(client)).status_code == 200
        models.reply = lambda request: answer(batch(request.url.path.rpartition("/")[2]))
        page = (await client.get("/v1/batches?limit=2")).json()
        assert ([each["id"] for each in page["data"]], page["has_more"]) == (["batch_2"] * 2, True)


async def test_a_batch_does_not_take_another_accounts_file_as_its_output(store: Store) -> None:
    make_relayed(store)
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    bob_key = bobs(store)
    with store.database.write() as tx:
        store.relay_files.register(tx, 2, "file-bob", filename="f", purpose="batch")
    reply = batch(status="completed", output_file_id=FILE_ID, error_file_id="../x")
    models = ModelServer(lambda _: answer(reply))
    async with client_of(store, token=bob_key, upstream=models) as bob:
        body = {"input_file_id": "file-bob", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        assert (await bob.post("/v1/batches", json=body)).status_code == 200
        assert (await bob.get("/v1/batches/batch_1")).status_code == 200
        assert (await bob.get(f"/v1/files/{FILE_ID}/content")).status_code == 404
    assert owners(store) == {FILE_ID: 1, "file-bob": 2}


async def test_batches_are_listed_and_cancelled_by_their_account_alone(store: Store) -> None:
    key, names = make_relayed(store), iter(f"batch_{number}" for number in range(5))
    models = ModelServer(lambda _: answer(batch(next(names))))
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    other = bobs(store)

    def described(request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[3]
        return answer({"error": {"message": "gone"}}, 404) if name == "batch_3" else answer(batch(name))

    async with (
        client_of(store, token=key, upstream=models) as alice,
        client_of(store, token=other, upstream=models) as bob,
    ):
        for _ in range(5):
            assert (await begin(alice)).status_code == 200
        models.reply = described
        first = (await alice.get("/v1/batches?limit=3")).json()
        assert [each["id"] for each in first["data"]] == ["batch_4", "batch_2"], "one is gone at the model server"
        assert (first["last_id"], first["has_more"]) == ("batch_2", True)
        rest = (await alice.get(f"/v1/batches?limit=3&after={first['last_id']}")).json()
        assert [each["id"] for each in rest["data"]] == ["batch_1", "batch_0"]
        assert rest["has_more"] is False
        assert (await bob.get("/v1/batches")).json()["data"] == []
        models.requests.clear()
        assert (await bob.post("/v1/batches/batch_1/cancel")).status_code == 404
        assert (await bob.get("/v1/batches?after=batch_1")).status_code == 404
        assert models.requests == []
        models.reply = lambda _: answer(batch("batch_1", "cancelling"))
        assert (await alice.post("/v1/batches/batch_1/cancel")).json()["status"] == "cancelling"
        (sent,) = models.requests
        assert (sent.method, str(sent.url)) == ("POST", "http://models.test/v1/batches/batch_1/cancel")
        for wrong in ("0", "101", "x"):
            assert (await alice.get(f"/v1/batches?limit={wrong}")).status_code == 400
    assert [entry.status for entry in entries_of(store) if entry.request_id == "batch_1"] == ["cancelling"]
    entry = entries_of(store)[0]
    assert (entry.kind, entry.model, entry.status, entry.detail) == (
        Kind.TASK,
        "batch-cancel",
        "cancelling",
        "batch_1",
    )


async def test_a_key_with_models_creates_batches_only_if_it_names_them(store: Store) -> None:
    make_relayed(store)
    store.pricing.set(ModelPrice("batch", 0, 0, 1))
    session, statuses = sign_in(store), []
    for models in (("gpt-priced",), ("gpt-priced", "batch")):
        key = store.api_keys.create(session, "key", ApiKeyLimits(allowed_models=models)).key
        async with client_of(store, token=key, upstream=ModelServer(lambda _: answer(batch()))) as client:
            statuses.append((await begin(client)).status_code)
    assert statuses == [403, 200]


async def test_a_key_with_models_reaches_files_and_batches_only_if_it_names_them(store: Store) -> None:
    make_relayed(store)
    session, models = sign_in(store), ModelServer(lambda _: answer(FILE))
    for allowed in (("gpt-priced",), ("gpt-priced", "BATCH")):
        key = store.api_keys.create(session, "key", ApiKeyLimits(allowed_models=allowed)).key
        async with client_of(store, token=key, upstream=models) as client:
            answers = [
                await client.get("/v1/batches"),
                await client.get("/v1/batches/batch_1"),
                await client.post("/v1/batches/batch_1/cancel"),
                await client.get("/v1/files"),
                await client.get(f"/v1/files/{FILE_ID}"),
                await client.get(f"/v1/files/{FILE_ID}/content"),
                await upload(client),
                await client.delete(f"/v1/files/{FILE_ID}"),
            ]
        if "BATCH" in allowed:
            assert [found.status_code for found in answers] == [200, 404, 404, 200, 200, 200, 200, 200]
        else:
            refusals = {(found.status_code, found.json()["error"]["code"]) for found in answers}
            assert (refusals, models.requests) == ({(403, "model_not_allowed")}, [])
            assert [(entry.model, entry.status) for entry in entries_of(store)] == [("batch", "model_not_allowed")] * 8
