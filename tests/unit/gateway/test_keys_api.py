"""API keys through the account API: what a token may do, what needs a proof, and what a change does at once."""

from datetime import timedelta
from typing import Any, Final

import httpx
import pytest

from store.accounts import AccountInfo
from store.api_key_acts import MAX_API_KEYS
from store.errors import InvalidApiKey
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from tests.harness.gateway_client import client_of, make_token
from tests.harness.people import tags
from tests.harness.stores import PASSWORD, START, StillClock, add_account, sign_in

pytestmark = pytest.mark.usefixtures("account")

KEYS: Final = "/api/account/keys"
PROOF: Final = {"proof": {"password": PASSWORD}}
FIRM: Final[dict[str, Any]] = {
    "name": "build",
    "expires_at": (START + timedelta(days=30)).isoformat(),
    "spend_limit_usd": "5.00",
    "limit_period": "monthly",
    "allowed_models": ["gpt-5"],
    "allowed_networks": ["10.0.0.0/24"],
    "requests_per_minute": 60,
}


async def create(client: httpx.AsyncClient, **changed: Any) -> httpx.Response:
    return await client.post(KEYS, json={**FIRM, **PROOF, **changed})


async def test_a_key_is_created_read_and_listed(store: Store, account: AccountInfo) -> None:
    async with client_of(store, token=make_token(store)) as client:
        made = await create(client)
        assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
        document = made.json()
        key = document.pop("key")
        assert {name: document[name] for name in FIRM} == FIRM
        assert (document["state"], document["spent_usd"], document["last_four"]) == ("active", "0.00", key[-4:])
        assert (await client.get(f"{KEYS}/{document['id']}")).json() == document
        assert (await client.get(KEYS)).json() == {"keys": [document]}
    assert store.api_keys.authenticate(key).allowed_models == ("gpt-5",)
    with store.database.read() as tx:
        event = store.audit.page(tx, account.id)[0]
    assert (event.tag, event.actor, event.source) == ("api-key:created", "alice", "System Access Token")


async def test_a_token_alone_creates_loosens_and_rotates_nothing(store: Store) -> None:
    async with client_of(store, token=make_token(store)) as client:
        refused = await create(client, proof=None)
        assert (refused.status_code, refused.json()["field"]) == (403, "proof")
        assert refused.json()["detail"].startswith("Confirm your identity to create an API key. Send proof")
        key_id = (await create(client)).json()["id"]
        for path, body in (
            (f"{KEYS}/{key_id}", {"spend_limit_usd": "5.01"}),
            (f"{KEYS}/{key_id}", {"spend_limit_usd": None}),
            (f"{KEYS}/{key_id}", {"limit_period": "daily"}),
            (f"{KEYS}/{key_id}", {"expires_at": None}),
            (f"{KEYS}/{key_id}", {"allowed_models": None}),
            (f"{KEYS}/{key_id}", {"allowed_networks": ["10.0.0.0/8"]}),
            (f"{KEYS}/{key_id}", {"requests_per_minute": 61}),
        ):
            assert (await client.patch(path, json=body)).status_code == 403
        wrong = {"proof": {"password": "wrong"}}
        for proof in ({}, wrong):
            assert (await client.post(f"{KEYS}/{key_id}/rotate", json=proof)).status_code == 403
        assert (await client.get(f"{KEYS}/{key_id}")).json()["spend_limit_usd"] == "5.00"
        loosened = await client.patch(f"{KEYS}/{key_id}", json={"spend_limit_usd": "9", "proof": PROOF["proof"]})
        assert loosened.json()["spend_limit_usd"] == "9.00"


async def test_a_change_leaves_what_is_not_sent(store: Store) -> None:
    async with client_of(store, token=make_token(store)) as client:
        made = (await create(client)).json()
        change = {"requests_per_minute": 30.0, "name": "builder"}
        changed = (await client.patch(f"{KEYS}/{made['id']}", json=change)).json()
    made.pop("key")
    assert changed == {**made, "requests_per_minute": 30, "name": "builder"}


async def test_a_key_is_disabled_at_once_and_enabled_with_a_proof(store: Store) -> None:
    async with client_of(store, token=make_token(store)) as client:
        made = (await create(client)).json()
        path = f"{KEYS}/{made['id']}"
        for _ in range(2):
            assert (await client.patch(path, json={"disabled": True})).json()["state"] == "disabled"
        assert store.api_keys.authenticate(made["key"]).is_disabled
        assert (await client.patch(path, json={"disabled": False})).status_code == 403
        assert (await client.patch(path, json={"disabled": False, **PROOF})).json()["state"] == "active"
    assert [tag for tag in tags(store, 1) if "able" in tag] == ["api-key:disabled", "api-key:enabled"]


async def test_a_rotated_key_has_an_overlap_and_a_revoked_one_none(store: Store, clock: StillClock) -> None:
    async with client_of(store, token=make_token(store)) as client:
        made = (await create(client)).json()
        path = f"{KEYS}/{made['id']}"
        rotated = (await client.post(f"{path}/rotate", json={"overlap_minutes": 10, **PROOF})).json()
        assert rotated["previous_expires_at"] == (clock.now() + timedelta(minutes=10)).isoformat()
        for key in (made["key"], rotated["key"]):
            assert store.api_keys.authenticate(key).key_id == made["id"]
        assert (await client.post(f"{path}/revoke")).json()["state"] == "revoked"
        for key in (made["key"], rotated["key"]):
            with pytest.raises(InvalidApiKey):
                store.api_keys.authenticate(key)
        assert (await client.post(f"{path}/revoke")).status_code == 404
        assert (await client.patch(path, json={"name": "x"})).status_code == 404
        assert (await client.get(path)).json()["revoked_at"] == clock.now().isoformat()


async def test_nobody_reads_or_changes_another_accounts_key(store: Store) -> None:
    add_account(store, "bob", email="bob@example.com")
    other = store.api_keys.create(sign_in(store, "bob"), "his").info.id
    async with client_of(store, token=make_token(store)) as client:
        for answer in (
            await client.get(f"{KEYS}/{other}"),
            await client.patch(f"{KEYS}/{other}", json={"name": "mine", **PROOF}),
            await client.post(f"{KEYS}/{other}/rotate", json=PROOF),
            await client.post(f"{KEYS}/{other}/revoke"),
        ):
            assert answer.status_code == 404
    assert store.api_keys.list(sign_in(store, "bob"))[0].name == "his"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x1bb"}, "name"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+23:00"}, "expires_at"),
        ({"spend_limit_usd": "0"}, "spend_limit_usd"),
        ({"spend_limit_usd": 5}, "spend_limit_usd"),
        ({"limit_period": "yearly"}, "limit_period"),
        ({"limit_period": "daily", "spend_limit_usd": None}, "limit_period"),
        ({"allowed_models": []}, "allowed_models"),
        ({"allowed_models": ["\x1b"]}, "allowed_models"),
        ({"allowed_networks": ["10.0.0.1/24"]}, "allowed_networks"),
        ({"allowed_networks": ["here"]}, "allowed_networks"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
    ],
)
async def test_what_does_not_fit_names_its_field(store: Store, changed: dict[str, Any], field: str) -> None:
    async with client_of(store, token=make_token(store)) as client:
        refused = await create(client, **changed)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
        assert (await client.get(KEYS)).json() == {"keys": []}


async def test_fifty_keys_are_enough(store: Store) -> None:
    token = sign_in(store)
    for number in range(MAX_API_KEYS):
        store.api_keys.create(token, f"key {number}", ApiKeyLimits())
    async with client_of(store, token=make_token(store)) as client:
        assert (await create(client)).status_code == 409
