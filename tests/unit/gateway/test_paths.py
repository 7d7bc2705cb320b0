"""Paths with slashes too many are served as they were meant, and no rule is bypassed by them."""

import pytest

from gateway.body_limit import MAX_BODY_BYTES
from gateway.paths import normalized_path
from store.store import Store
from tests.fakes.scripted_model_server import CHAT, ModelServer
from tests.harness.gateway_client import client_of, make_relayed, make_token
from tests.harness.stores import make_store


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/", "/"),
        ("//", "/"),
        ("///v1//chat/completions//", "/v1/chat/completions"),
        ("/v1/models", "/v1/models"),
        ("/v1/models/", "/v1/models"),
        ("/v1/models//", "/v1/models"),
        ("//v1/models/gpt-4o", "/v1/models/gpt-4o"),
        ("//v1//models/org//name/", "/v1/models/org//name/"),
        ("/v1/models//name", "/v1/models//name"),
        ("/healthz/", "/healthz"),
        ("/api/../v1/models/", "/api/../v1/models"),
    ],
)
def test_empty_segments_count_for_nothing_but_in_the_name_of_a_model(asked: str, meant: str) -> None:
    assert normalized_path(asked) == meant
    assert normalized_path(meant) == meant


@pytest.mark.parametrize("path", ["//v1/chat/completions", "/v1//chat/completions/", "/v1/chat/completions/"])
async def test_a_call_is_served_wherever_its_slashes_stand(store: Store, path: str) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        answer = await client.post(f"http://gateway.test{path}", json=CHAT)
        assert (answer.status_code, answer.json()["object"]) == (200, "chat.completion")
        refused = await client.post(f"http://gateway.test{path}", json=CHAT, headers={"Authorization": "Bearer x"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert len(models.requests) == 1


@pytest.mark.parametrize(
    "path", ["//api/account", "/api/account/", "/api//account//quota/", "//healthz/", "//openapi.json"]
)
async def test_the_other_addresses_too(store: Store, path: str) -> None:
    make_relayed(store)
    async with client_of(store, token=make_token(store)) as client:
        answer = await client.get(f"http://gateway.test{path}")
        assert answer.status_code == 200
        without = await client.get(f"http://gateway.test{path}", headers={"Authorization": ""})
    assert without.status_code == (401 if "account" in path else 200)


async def test_the_limits_of_a_body_are_those_of_the_address_that_is_meant(store: Store) -> None:
    make_relayed(store)
    async with client_of(store, token=make_token(store)) as client:
        long = await client.put(
            "http://gateway.test//api/account/settings/price/",
            content=b"x" * (MAX_BODY_BYTES + 1),
            headers={"Content-Type": "application/json", "If-Match": "*"},
        )
    assert long.status_code == 413


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (None, "The Authorization header is missing: send an API key in it"),
        ("", "is malformed: it is Bearer, a space, and an API key"),
        ("Basic eDp5", "is malformed: it is Bearer, a space, and an API key"),
        ("Bearer sk-proj-0123456789", "what follows Bearer is not an API key, or not all of it"),
        ("cut", "what follows Bearer is not an API key, or not all of it"),
        ("token", "holds a System Access Token, and this address takes an API key"),
        ("unknown", "This API key is unknown, has expired or was revoked."),
    ],
)
async def test_each_way_to_have_no_key_is_told_apart(store: Store, header: str | None, says: str) -> None:
    key = make_relayed(store)
    with make_store(seed=2) as elsewhere:
        unknown = make_relayed(elsewhere)
    sent = {"cut": f"Bearer {key[:-3]}", "token": f"Bearer {make_token(store)}", "unknown": f"Bearer {unknown}"}
    headers = {} if header is None else {"Authorization": sent.get(header, header)}
    async with client_of(store, upstream=ModelServer()) as client:
        answer = await client.post("/v1/chat/completions", json=CHAT, headers=headers)
    assert answer.status_code == 401
    assert says in answer.json()["error"]["message"]
    assert key[8:20] not in answer.text
