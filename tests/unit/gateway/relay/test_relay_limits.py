"""Limits of one account on calls at once and per minute, and the traces of their refusals."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, Final

import pytest

from gateway import rate_limiter
from gateway.problems import OpenAiProblem
from gateway.relay import refusal_log
from gateway.relay.body_memory import BodyMemory
from gateway.store_threads import StoreThreads
from store.request_rates import RequestRates
from store.sessions import digest
from store.store import Store
from store.values.usage import Kind, LoggedEntry
from tests.fakes.scripted_model_server import CHAT, ModelServer
from tests.harness.gateway_client import client_of, make_relayed, make_token
from tests.harness.stores import StillClock, add_account, sign_in

MIB: Final = 1024 * 1024


def entries(store: Store) -> list[LoggedEntry]:
    return list(store.usage.page(sign_in(store), limit=500).entries)


# -- requests per minute ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("switch", ["limits.requests_per_minute_per_key", "limits.requests_per_minute_per_account"])
async def test_beyond_the_limit_a_request_is_told_when_to_come_back(
    store: Store, clock: StillClock, switch: str
) -> None:
    key, models = make_relayed(store), ModelServer()
    store.site.set(switch, "3")
    clock.advance(seconds=15)
    async with client_of(store, token=key, upstream=models) as client:
        answers = [await client.post("/v1/chat/completions", json=CHAT) for _ in range(3)]
        answers += [await client.get("/v1/models"), await client.post("/v1/chat/completions", content=b"x" * 100_000)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        error = answers[3].json()["error"]
        assert (error["code"], error["type"]) == ("rate_limit_exceeded", "rate_limit_error")
        assert "may make 3 requests per minute, and has made them. Try again in 45 seconds." in error["message"]
        assert answers[3].headers["retry-after"] == "45"
        clock.advance(seconds=45)
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
    assert len(models.requests) == 4
    assert [each.entry.status for each in entries(store)].count("rate_limit_exceeded") == 2


async def test_one_key_does_not_use_up_the_requests_of_another(store: Store) -> None:
    first = make_relayed(store)
    second = store.api_keys.create(sign_in(store), "desk").key
    store.site.set("limits.requests_per_minute_per_key", "1")
    async with client_of(store, upstream=ModelServer()) as client:
        for key in (first, second):
            headers = {"Authorization": f"Bearer {key}"}
            statuses = [
                (await client.post("/v1/chat/completions", json=CHAT, headers=headers)).status_code for _ in "ab"
            ]
            assert statuses == [200, 429]


async def test_zero_sets_no_limit(store: Store) -> None:
    key = make_relayed(store, quota_usd=50)
    for switch in ("limits.requests_per_minute_per_key", "limits.requests_per_minute_per_account"):
        store.site.set(switch, "0")
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        assert {(await client.get("/v1/models")).status_code for _ in range(30)} == {200}


async def test_the_limit_holds_over_two_gateways(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told = asyncio.Event()
    real = rate_limiter.RateLimiter._flush

    async def telling(self: rate_limiter.RateLimiter) -> None:
        await real(self)
        told.set()

    monkeypatch.setattr(rate_limiter.RateLimiter, "_flush", telling)
    monkeypatch.setattr(rate_limiter, "FLUSH_INTERVAL_S", 0.0)
    key = make_relayed(store)
    store.site.set("limits.requests_per_minute_per_account", "4")
    async with client_of(store, token=key) as one, client_of(store, token=key) as other:
        for client in (one, one, one, other):
            assert (await client.get("/v1/models")).status_code == 200
            await told.wait()
            told.clear()
        assert (await other.get("/v1/models")).status_code == 429


async def test_the_account_api_counts_for_the_account_too(store: Store, clock: StillClock) -> None:
    make_relayed(store)
    token = make_token(store)
    store.site.set("limits.requests_per_minute_per_account", "4")
    async with client_of(store, token=token) as client:
        statuses = [(await client.get("/api/account")).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429], "the first was counted for nobody yet"
        refused = await client.get("/api/account/quota")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        assert "This account may make 4 requests per minute" in refused.json()["detail"]
        clock.advance(minutes=1)
        assert (await client.get("/api/account")).status_code == 200


async def test_changes_of_settings_are_limited_because_each_is_kept(store: Store) -> None:
    make_relayed(store)
    token = make_token(store)
    async with client_of(store, token=token) as client:
        for number in range(rate_limiter.MAX_SAVES_PER_MINUTE + 1):
            change = {"record_client_ip": bool(number % 2)}
            saved = await client.put("/api/account/settings/privacy", json=change, headers={"If-Match": "*"})
            assert saved.status_code == 200
        refused = await client.put("/api/account/settings/privacy", json=change, headers={"If-Match": "*"})
        assert refused.status_code == 429
        assert (await client.get("/api/account/settings/privacy")).status_code == 200


async def test_a_revoked_key_is_refused_although_it_is_remembered(store: Store) -> None:
    key, session = make_relayed(store), sign_in(store)
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        store.api_keys.revoke(session, store.api_keys.list(session)[0].id)
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 401


async def test_a_revoked_key_does_not_use_up_the_requests_of_its_account(store: Store) -> None:
    revoked, session = make_relayed(store), sign_in(store)
    bearer = {"Authorization": f"Bearer {store.api_keys.create(session, 'desk').key}"}
    store.site.set("limits.requests_per_minute_per_account", "3")
    async with client_of(store, token=revoked, upstream=ModelServer()) as client:
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        (one,) = (key for key in store.api_keys.list(session) if key.name == "laptop")
        store.api_keys.revoke(session, one.id)
        for _ in range(2):
            assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 401
            assert (await client.get("/v1/models")).status_code == 401
        answers = [await client.get("/v1/models", headers=bearer) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_a_replaced_token_does_not_use_up_the_requests_of_its_account(store: Store) -> None:
    make_relayed(store)
    old = make_token(store)
    store.site.set("limits.requests_per_minute_per_account", "2")
    async with client_of(store, token=old) as client:
        assert (await client.get("/api/account")).status_code == 200
        bearer = {"Authorization": f"Bearer {make_token(store)}"}
        assert [(await client.get("/api/account")).status_code for _ in range(4)] == [401] * 4
        answers = [await client.get("/api/account", headers=bearer) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429], "the first was of an unknown token"


async def test_what_other_gateways_were_told_of_is_taken_back(store: Store) -> None:
    site: Any = SimpleNamespace(requests_per_minute_of_account=2)
    threads = StoreThreads(store.database)
    one, other = (rate_limiter.RateLimiter(RequestRates(store.context), store.context.clock, threads) for _ in "ab")
    for each in (one, other):
        each.remember("token", 1)
    for _ in range(2):
        counted = one.count_token("token", site, is_save=False)
    await one._flush()
    one.forget(digest("token"), counted)
    await one._flush()
    other.count_token("token", site, is_save=False)
    await other._flush()
    with pytest.raises(OpenAiProblem, match="may make 2 requests"):
        other.count_token("token", site, is_save=False)
    for each in (one, other):
        await each.aclose()
    await threads.close()


async def test_a_token_whose_requests_all_fail_is_counted(store: Store) -> None:
    make_relayed(store)
    store.site.set("limits.requests_per_minute_per_account", "2")
    stale = {"If-Match": '"privacy-99"'}
    async with client_of(store, token=make_token(store)) as client:
        change = {"record_client_ip": True}
        saves = [await client.put("/api/account/settings/privacy", json=change, headers=stale) for _ in range(4)]
    assert [save.status_code for save in saves] == [412, 412, 412, 429]


# -- refusals ---------------------------------------------------------------------------------------------------


async def test_many_refusals_become_one_line_that_counts_them(store: Store, clock: StillClock) -> None:
    key = make_relayed(store)
    store.quota.adjust("alice", set_to=0, actor="test")
    async with client_of(store, token=key) as client:
        for _ in range(refusal_log.MAX_LOGGED_PER_MINUTE + 30):
            assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 429
        assert (await client.post("/v1/chat/completions", json={"model": 7})).status_code == 400
        clock.advance(minutes=1)
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 429
    logged = entries(store)
    assert len(logged) == refusal_log.MAX_LOGGED_PER_MINUTE + 2
    summary = next(each.entry for each in logged if each.entry.status == refusal_log.SUMMARY_STATUS)
    assert (summary.kind, summary.model) == (Kind.ERROR, "")
    assert summary.detail == (
        "31 more calls were refused in this minute, and not written out one by one: "
        "30 insufficient_quota, 1 invalid_request_error."
    )
    (day,) = store.usage.days(sign_in(store))
    assert (day.calls, day.errors) == (refusal_log.MAX_LOGGED_PER_MINUTE + 32, refusal_log.MAX_LOGGED_PER_MINUTE + 32)


async def test_the_line_that_counts_is_brought_up_to_date(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal_log, "FLUSH_INTERVAL_S", 0.0)
    key = make_relayed(store)
    store.quota.adjust("alice", set_to=0, actor="test")
    async with client_of(store, token=key) as client:
        for _ in range(refusal_log.MAX_LOGGED_PER_MINUTE + 40):
            await client.post("/v1/chat/completions", json=CHAT)
    summaries = [each.entry for each in entries(store) if each.entry.status == refusal_log.SUMMARY_STATUS]
    assert [summary.detail.split()[0] for summary in summaries] == ["40"]
    assert store.usage.days(sign_in(store))[0].calls == refusal_log.MAX_LOGGED_PER_MINUTE + 40


async def test_one_accounts_refusals_hide_nobody_elses(store: Store) -> None:
    first = make_relayed(store)
    add_account(store, "bob", email="bob@example.com")
    second = store.api_keys.create(sign_in(store, "bob"), "desk").key
    for name in ("alice", "bob"):
        store.quota.adjust(name, set_to=0, actor="test")
    async with client_of(store) as client:
        for key in [first] * (refusal_log.MAX_LOGGED_PER_MINUTE + 5) + [second]:
            await client.post("/v1/chat/completions", json=CHAT, headers={"Authorization": f"Bearer {key}"})
    assert [each.entry.status for each in store.usage.page(sign_in(store, "bob")).entries] == ["insufficient_quota"]


async def test_what_was_refused_of_a_deleted_account_is_dropped(store: Store) -> None:
    key = make_relayed(store)
    add_account(store, "bob", email="bob@example.com")
    store.quota.adjust("alice", set_to=0, actor="test")
    async with client_of(store, token=key) as client:
        for _ in range(refusal_log.MAX_LOGGED_PER_MINUTE + 5):
            await client.post("/v1/chat/completions", json=CHAT)
        store.deletion.delete(sign_in(store), "alice")
    assert store.usage.page(sign_in(store, "bob")).entries == ()


# -- bytes ------------------------------------------------------------------------------------------------------


async def test_an_account_holds_as_many_bytes_of_requests_as_it_may(store: Store) -> None:
    key, models = make_relayed(store, quota_usd=1000), ModelServer()
    store.site.set("limits.body_mib_per_account", "32")
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def unfinished() -> AsyncIterator[bytes]:
        yield b'{"model": "gpt-priced", "messages": "'
        waiting.set()
        await go_on.wait()
        yield b"x" * (20 * MIB - 39) + b'"}'

    headers = {"Content-Type": "application/json", "Content-Length": str(20 * MIB)}
    async with client_of(store, token=key, upstream=models) as client:
        first = asyncio.create_task(client.post("/v1/chat/completions", content=unfinished(), headers=headers))
        await waiting.wait()
        second = await client.post("/v1/chat/completions", content=b"x" * (20 * MIB), headers=headers)
        assert (second.status_code, second.headers["connection"]) == (429, "close")
        assert "requests of 32 MiB under way" in second.json()["error"]["message"]
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200
        go_on.set()
        assert (await first).status_code == 200
        third = {**CHAT, "messages": [{"role": "user", "content": "x" * (20 * MIB)}]}
        assert (await client.post("/v1/chat/completions", json=third)).status_code == 200


async def test_a_body_that_does_not_say_its_length_is_counted_as_it_comes(store: Store) -> None:
    key = make_relayed(store)
    store.site.set("limits.body_mib_per_account", "32")
    claimed, go_on = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * MIB
        claimed.set()
        await go_on.wait()
        yield b"x"

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * MIB

    headers = {"Content-Type": "application/json"}
    async with client_of(store, token=key) as client:
        first = asyncio.create_task(client.post("/v1/chat/completions", content=endless(), headers=headers))
        await claimed.wait()
        assert (await client.post("/v1/chat/completions", content=chunks(), headers=headers)).status_code == 429
        go_on.set()
        assert (await first).status_code == 400


def test_all_accounts_together_hold_no_more_than_the_gateway_can() -> None:
    site: Any = type("Site", (), {"body_mib_of_account": 64, "body_mib": 100})()
    bodies = BodyMemory()
    with bodies.of(1, site) as one, bodies.of(2, site) as other:
        one.grow_to(60 * MIB)
        one.grow_to(60 * MIB)
        with pytest.raises(OpenAiProblem, match="as many large requests under way as it can hold") as refused:
            other.grow_to(41 * MIB)
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "5")
        other.grow_to(40 * MIB)
    assert (dict(bodies.held), bodies.arrived) == ({}, 0)


def test_what_all_accounts_announced_is_refused_once_it_does_not_fit() -> None:
    site: Any = type("Site", (), {"body_mib_of_account": 64, "body_mib": 100})()
    bodies = BodyMemory()
    with bodies.of(1, site) as one, bodies.of(2, site) as other:
        for claim in (one, other):
            claim.announce(60 * MIB)
        one.grow_to(60 * MIB)
        other.grow_to(40 * MIB)
        with pytest.raises(OpenAiProblem, match="as many large requests under way as it can hold"):
            other.grow_to(41 * MIB)
    assert (dict(bodies.held), bodies.arrived) == ({}, 0)


async def test_what_is_announced_and_does_not_come_leaves_room_for_other_accounts(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    store.site.set("limits.body_mib", "32")
    add_account(store, "bob", email="bob@example.com")
    other = store.api_keys.create(sign_in(store, "bob"), "desk").key
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def announced() -> AsyncIterator[bytes]:
        yield b"x"
        waiting.set()
        await go_on.wait()

    headers = {"Content-Type": "application/json", "Content-Length": str(32 * MIB)}
    async with client_of(store, token=key, upstream=models) as client:
        first = asyncio.create_task(client.post("/v1/chat/completions", content=announced(), headers=headers))
        await waiting.wait()
        large = {**CHAT, "messages": [{"role": "user", "content": "x" * MIB}]}
        bearer = {"Authorization": f"Bearer {other}"}
        assert (await client.post("/v1/chat/completions", json=large, headers=bearer)).status_code == 200
        go_on.set()
        assert (await first).status_code == 400


async def test_a_compressed_body_is_not_read(store: Store) -> None:
    key, models = make_relayed(store), ModelServer()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with client_of(store, token=key, upstream=models) as client:
        packed = gzip.compress(json.dumps(CHAT).encode())
        refused = await client.post("/v1/chat/completions", content=packed, headers=headers)
    assert (refused.status_code, models.requests) == (415, [])
    assert "without a content encoding" in refused.json()["error"]["message"]
