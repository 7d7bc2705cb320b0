"""A suspended account's token and keys are refused at the next call, with the reason; nothing is asked or charged."""

import pytest

from store.store import Store
from store.throttle import BEARER_ATTEMPTS
from tests.fakes.scripted_model_server import CHAT, ModelServer
from tests.harness.gateway_client import client_of, make_relayed, make_token

PATH = "/v1/chat/completions"
REASON = "This account is suspended. Ask the administrator."


async def test_a_key_is_refused_with_the_reason(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    async with client_of(store, token=key, upstream=models) as client:
        assert (await client.post(PATH, json=CHAT)).status_code == 200
        asked = len(models.requests)
        store.suspension.suspend("alice", actor="test")
        for _ in range(BEARER_ATTEMPTS + 1):  # it is a right key, so it is not counted as a guess
            refused = await client.post(PATH, json=CHAT)
            assert refused.status_code == 403
        error = refused.json()["error"]
        assert (error["message"], error["type"], error["code"]) == (REASON, "permission_error", "account_suspended")
        assert (await client.get("/v1/models")).status_code == 403
        assert len(models.requests) == asked
        store.suspension.resume("alice", actor="test")
        assert (await client.post(PATH, json=CHAT)).status_code == 200


@pytest.mark.parametrize("path", ["", "/usage", "/quota", "/settings/privacy"])
async def test_a_token_is_refused_with_the_reason(store: Store, path: str) -> None:
    make_relayed(store)
    token = make_token(store)
    async with client_of(store, token=token) as client:
        assert (await client.get(f"/api/account{path}")).status_code == 200
        store.suspension.suspend("alice", actor="test")
        refused = await client.get(f"/api/account{path}")
    assert (refused.status_code, refused.json()["detail"]) == (403, REASON)
