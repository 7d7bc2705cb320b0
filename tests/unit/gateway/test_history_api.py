"""The lists of an account over HTTP: ledger, prices, activity and deliveries, page by page."""

from typing import Any, Final

import pytest
from pydantic import BaseModel

from gateway.history_schemas import (
    ActivityPageDocument,
    DeliveryPageDocument,
    LedgerPageDocument,
    PricePageDocument,
)
from store.accounts import AccountInfo
from store.outbox_queue import enqueue
from store.sections import Channel
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry
from tests.harness.gateway_client import client_of
from tests.harness.ledger_checks import ledger_of
from tests.harness.quota_calls import book_call, hold_quota, spend_quota
from tests.harness.stores import add_account

pytestmark = pytest.mark.usefixtures("account")

LISTS: Final[dict[str, type[BaseModel]]] = {
    "/api/account/ledger": LedgerPageDocument,
    "/api/account/prices": PricePageDocument,
    "/api/account/activity": ActivityPageDocument,
    "/api/account/deliveries": DeliveryPageDocument,
}
KEYS: Final = {"ledger": "entries", "prices": "prices", "activity": "events", "deliveries": "deliveries"}


def fill(store: Store, name: str = "alice") -> None:
    """Several entries in each list of an account."""
    account = store.accounts.find(name)
    for number in range(7):
        store.quota.adjust(name, add=1 + number, reason=f"gift {number}", actor="unix:root")
        store.pricing.set(ModelPrice(f"model-{number}", 1_000_000, 2_000_000))
    book_call(store, hold_quota(store, account.id, 30), 22, UsageEntry(Kind.CONSUMPTION, "gpt", api_key_name="build"))
    with store.database.write() as tx:
        for number in range(7):
            enqueue(store.context, tx, account.id, f"kind:{number}", {}, [Channel.EMAIL])


@pytest.mark.parametrize("path", LISTS)
async def test_a_token_read_each_list_as_documented(store: Store, token: str, path: str) -> None:
    fill(store)
    async with client_of(store, token=token) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    document = LISTS[path].model_validate_json(answer.content)
    assert getattr(document, KEYS[path.rpartition("/")[2]])


@pytest.mark.parametrize("path", LISTS)
async def test_without_a_token_there_was_only_a_challenge(store: Store, path: str) -> None:
    fill(store)
    async with client_of(store) as client:
        answer = await client.get(path)
        refused = await client.post(path, json={})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="gatekey"')
    assert refused.status_code == 405


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_came_page_by_page_without_a_gap(store: Store, token: str, path: str) -> None:
    fill(store)
    name = path.rpartition("/")[2]
    async with client_of(store, token=token) as client:
        whole = (await client.get(path)).json()[KEYS[name]]
        paged: list[Any] = []
        params: dict[str, str | int] = {"limit": 2}
        while True:
            document = (await client.get(path, params=params)).json()
            assert len(document[KEYS[name]]) <= 2
            paged += document[KEYS[name]]
            if document["next_cursor"] is None:
                break
            params["cursor"] = document["next_cursor"]
    assert paged == whole
    assert len(whole) >= 7


@pytest.mark.parametrize("path", LISTS)
async def test_a_wrong_question_was_refused(store: Store, token: str, path: str) -> None:
    wrong: list[dict[str, str | int]] = [{"limit": 0}, {"limit": 501}, {"limit": "many"}]
    wrong += [{"cursor": "x" * 300}] if path.endswith("prices") else [{"cursor": "0"}, {"cursor": "x"}]
    async with client_of(store, token=token) as client:
        for params in wrong:
            answer = await client.get(path, params=params)
            assert (answer.status_code, answer.json()["field"]) == (422, next(iter(params)))


async def test_the_ledger_was_exact_and_signed(store: Store, token: str, account: AccountInfo) -> None:
    fill(store)
    async with client_of(store, token=token) as client:
        entries = (await client.get("/api/account/ledger")).json()["entries"]
    call, gift = entries[:2]
    assert (call["kind"], call["amount_usd"], call["reason"], call["actor"]) == ("call", "-0.000022", "gpt", "build")
    assert isinstance(call["usage_entry_id"], int)
    assert (gift["kind"], gift["amount_usd"], gift["balance_usd"], gift["reason"]) == (
        "top_up",
        "0.000007",
        "5.000028",
        "gift 6",
    )
    assert [entry["number"] for entry in entries] == [entry.sequence for entry in ledger_of(store, account.id)][::-1]


async def test_a_cursor_that_no_model_has_ended_the_prices(store: Store, token: str) -> None:
    fill(store)
    async with client_of(store, token=token) as client:
        for cursor in ("model-6", "mo\u200bdel", "\x00"):
            answer = await client.get("/api/account/prices", params={"cursor": cursor})
            assert answer.json() == {"prices": [], "next_cursor": None}


async def test_an_account_saw_only_its_own_lists(store: Store, token: str) -> None:
    add_account(store, "bobby", email="bobby@example.com")
    fill(store, "bobby")
    spend_quota(store, store.accounts.find("bobby").id, 4_500_000)
    async with client_of(store, token=token) as client:
        for path in LISTS:
            if not path.endswith("prices"):
                text = (await client.get(path)).text
                assert "bobby" not in text
                assert "gift" not in text
        assert (await client.get("/api/account/deliveries")).json()["deliveries"] == []
