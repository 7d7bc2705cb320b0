"""API keys on a server whose answers tell neither the id nor the key."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from remote.api_keys import KeyForm
from store.errors import (
    AnswerUnreadable,
    InvalidExpiry,
    InvalidInput,
    InvalidLabel,
    InvalidModel,
    InvalidNetwork,
    NoSuchItem,
    StaleEdit,
)
from tests.harness.scripted_server import ScriptedServer, answer, aug_server, feb_server, refusal, signed_in
from tests.harness.stores import START

MADE = 1795657447
SECRET = "RE568RtEQ5kTu57ouW1O9upU0ooPd7MFyCV89c5BZM7fsecr"


@dataclass
class Keys:
    """The part of a server that keeps keys."""

    is_feb: bool
    rows: list[dict[str, Any]] = field(default_factory=list)

    def on(self, server: ScriptedServer) -> ScriptedServer:
        for method in ("GET", "POST", "PUT", "DELETE"):
            for number in range(250):
                server.script(f"{method} /api/token/{number}", self.answer)
                server.script(f"{method} /api/token/{number}/key", self.answer)
            server.script(f"{method} /api/token/", self.answer)
        return server

    def add(self, name: str, **members: Any) -> dict[str, Any]:
        row = {"id": len(self.rows) + 1, "key": SECRET, "status": 1, "name": name, "created_time": MADE}
        row |= {"accessed_time": MADE, "expired_time": -1, "remain_quota": 0, "unlimited_quota": True}
        row |= {"model_limits_enabled": False, "model_limits": "", "allow_ips": "", "used_quota": 0, "group": ""}
        self.rows.append(row | {"cross_group_retry": False} | members)
        return self.rows[-1]

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        return row if self.is_feb else row | {"key": "RE56**********secr"}

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        parts = request.url.path.split("/")
        if request.url.path == "/api/token/":
            return self.collection(request, body)
        row = next((one for one in self.rows if str(one["id"]) == parts[3]), None)
        if row is None:
            return refusal()
        if request.method == "DELETE":
            self.rows.remove(row)
            return answer()
        return answer({"key": SECRET} if parts[-1] == "key" else self.shown(row))

    def collection(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        match request.method:
            case "POST":
                self.add(**body)
                return answer()
            case "PUT":
                row = next(one for one in self.rows if one["id"] == body["id"])
                row |= body
                return answer(row)
        page, size = int(request.url.params["p"]), int(request.url.params["size"])
        newest_first = self.rows[::-1][(page - 1) * size : page * size]
        return answer({"total": len(self.rows), "items": [self.shown(row) for row in newest_first]})


@pytest.fixture(params=["FEB", "AUG"])
def keys(request: pytest.FixtureRequest) -> Keys:
    return Keys(request.param == "FEB")


def server_with(keys: Keys) -> ScriptedServer:
    return keys.on(feb_server() if keys.is_feb else aug_server())


LIMITED = KeyForm(
    "laptop",
    datetime(2027, 1, 1, tzinfo=UTC),
    3_000_001,
    ("gpt-5", "o3"),
    ("10.0.0.0/24", "192.0.2.1"),
    "vip",
)


async def test_a_key_is_made_found_and_revealed(keys: Keys) -> None:
    keys.add("laptop")
    client = await signed_in(server_with(keys))
    made, secret = await client.api_keys.create(LIMITED, START)
    assert secret == f"sk-{SECRET}"
    assert (made.id, made.name, made.last_four, made.group) == (2, "laptop", "secr", "vip")
    assert (made.expires_at, made.models, made.networks) == (LIMITED.expires_at, LIMITED.models, LIMITED.networks)
    assert made.remaining_micro_usd == 3_000_000, "a limit is rounded down to the server's unit"
    assert keys.rows[-1]["remain_quota"] == 1_500_000
    assert made.last_used_at is None
    assert SECRET not in repr(made)


async def test_a_key_without_limits_is_made(keys: Keys) -> None:
    client = await signed_in(server_with(keys))
    made, _ = await client.api_keys.create(KeyForm("free"), START)
    assert (made.expires_at, made.remaining_micro_usd, made.models, made.networks) == (None, None, None, None)


async def test_all_pages_of_keys_are_read(keys: Keys) -> None:
    for number in range(230):
        keys.add(f"key {number}", used_quota=5, accessed_time=MADE + 9)
    client = await signed_in(server_with(keys))
    found = await client.api_keys.all()
    assert [key.id for key in found] == list(range(230, 0, -1))
    assert found[0].used_micro_usd == 10
    assert found[0].last_used_at == datetime.fromtimestamp(MADE + 9, UTC)


async def test_an_edit_keeps_what_it_does_not_change_and_the_rest_that_the_key_has_now(keys: Keys) -> None:
    row = keys.add("laptop", unlimited_quota=False, remain_quota=1000, cross_group_retry=True)
    client = await signed_in(server_with(keys))
    (seen,) = await client.api_keys.all()
    row["remain_quota"] = 900
    renamed = KeyForm("desk", remaining_micro_usd=seen.remaining_micro_usd)
    found = await client.api_keys.edit(seen, renamed, START)
    assert (found.name, found.remaining_micro_usd) == ("desk", 1800)
    assert row["cross_group_retry"] is True
    raised = await client.api_keys.edit(found, KeyForm("desk", remaining_micro_usd=1_000_000), START)
    assert raised.remaining_micro_usd == 1_000_000


async def test_an_edit_sees_what_another_console_changed(keys: Keys) -> None:
    row = keys.add("laptop")
    client = await signed_in(server_with(keys))
    (seen,) = await client.api_keys.all()
    row["allow_ips"] = "192.0.2.7"
    with pytest.raises(StaleEdit):
        await client.api_keys.edit(seen, KeyForm("desk"), START)
    assert row["name"] == "laptop"


async def test_a_key_is_refused_accepted_and_removed(keys: Keys) -> None:
    keys.add("laptop")
    client = await signed_in(server_with(keys))
    assert not (await client.api_keys.set_enabled(1, enabled=False)).is_enabled
    assert (await client.api_keys.set_enabled(1, enabled=True)).is_enabled
    await client.api_keys.delete(1)
    assert keys.rows == []
    for act in (client.api_keys.delete(1), client.api_keys.reveal(1), client.api_keys.set_enabled(1, enabled=True)):
        with pytest.raises(NoSuchItem):
            await act


async def test_a_key_that_is_masked_is_not_taken_for_one(keys: Keys) -> None:
    keys.add("laptop", key="RE56**********secr")
    client = await signed_in(server_with(keys))
    if keys.is_feb:
        with pytest.raises(AnswerUnreadable):
            await client.api_keys.reveal(1)


@pytest.mark.parametrize(
    ("form", "kind", "at"),
    [
        (KeyForm(""), InvalidLabel, "name"),
        (KeyForm("ü" * 26), InvalidLabel, "name"),
        (KeyForm("x", expires_at=START), InvalidExpiry, "expires_at"),
        (KeyForm("x", remaining_micro_usd=-1), InvalidInput, "spend_limit"),
        (KeyForm("x", models=("",)), InvalidModel, "models"),
        (KeyForm("x", models=("a,b",)), InvalidLabel, "models"),
        (KeyForm("x", networks=("10.0.0.0/99",)), InvalidNetwork, "networks"),
    ],
)
async def test_what_the_server_would_refuse_or_misread_is_not_sent(
    keys: Keys, form: KeyForm, kind: type[InvalidInput], at: str
) -> None:
    client = await signed_in(server_with(keys))
    with pytest.raises(kind) as caught:
        await client.api_keys.create(form, START)
    assert caught.value.field == at
    assert keys.rows == []
