"""The figures of Overview from a server: days, models, keys, errors, and how often they are asked for."""

import asyncio

import pytest

from store.errors import InvalidNumber, ServerFailed, SessionEnded
from tests.harness.remote_consoles import remote_account, signed_in_account
from tests.harness.standin_rows import add_call, add_error
from tests.harness.waiting import wait_until
from tests.new_api.api_keys import OFF, add_key
from tests.new_api.logs import count_hours
from tests.new_api.running import PASSWORD, StandIn

CENT = 10_000
"""In micro-USD; 5,000 quota of the server."""


async def test_days_and_models_with_as_many_days_before(standin: StandIn) -> None:
    for days_ago, quota in ((1, 5_000), (3, 10_000), (8, 15_000), (35, 20_000), (100, 25_000)):
        add_call(standin, quota, days_ago=days_ago)
    add_call(standin, 50_000, days_ago=2, model="large-model")
    count_hours(standin.world)
    add_call(standin, 500)  # not counted by hour yet
    async with signed_in_account(standin) as account:
        shown = await account.dashboard(7)
        assert len(shown.days) == 7
        assert [day.cost_micro_usd for day in shown.days[-4:]] == [2 * CENT, 10 * CENT, CENT, CENT // 10]
        assert (shown.today.now.calls, shown.today.before.cost_micro_usd) == (1, CENT)
        assert shown.chosen.before.cost_micro_usd == 3 * CENT
        assert shown.month.before.cost_micro_usd == 4 * CENT
        assert [(one.name, one.cost_micro_usd) for one in shown.by_model] == [
            ("large-model", 10 * CENT),
            ("stub-model", 3 * CENT),
        ]
        assert shown.quota.remaining_micro_usd == 5_000_000
        assert len((await account.dashboard(90)).days) == 90
        assert (await account.dashboard(90)).chosen.before.cost_micro_usd == 5 * CENT
        for wrong in (0, 367):
            with pytest.raises(InvalidNumber):
                await account.dashboard(wrong)
    assert standin.unlike_recorded == []


async def test_keys_that_were_used_and_all_others_together(standin: StandIn) -> None:
    now = standin.world.now()
    for name, used_at in (("laptop", now), ("desk", now - 60), ("old", now - 40 * 86_400)):
        add_key(standin.world, standin.alice, name=name, accessed_time=used_at, created_time=1, unlimited_quota=True)
    for key, quota in (("laptop", 5_000), ("desk", 15_000), ("deleted", 10_000)):
        add_call(standin, quota, key=key)
    async with signed_in_account(standin) as account:
        found = (await account.dashboard(7)).by_key
        assert [(one.name, one.cost_micro_usd) for one in found] == [
            ("desk", 3 * CENT),
            ("laptop", CENT),
            ("all others", 2 * CENT),
        ]


async def test_errors_of_the_range_and_of_today(standin: StandIn) -> None:
    for days_ago in (9, 2, 2, 0):
        add_error(standin, days_ago=days_ago)
    add_key(standin.world, standin.alice, name="works", expired_time=-1, unlimited_quota=True)
    add_key(standin.world, standin.alice, name="off", expired_time=-1, unlimited_quota=True, status=OFF)
    add_key(standin.world, standin.alice, name="over", expired_time=standin.world.now() - 1, unlimited_quota=True)
    async with signed_in_account(standin) as account:
        shown = await account.dashboard(7)
        assert (shown.today.now.errors, shown.chosen.now.errors, shown.chosen.before.errors) == (1, 3, 1)
        assert len(shown.last_errors) == 3
        assert shown.last_errors[0].at == standin.clock.now()
        summary = await account.summary()
        assert (summary.active_api_keys, summary.errors_today) == (1, 1)


async def test_a_page_that_reads_itself_again_asks_the_server_once_a_minute(standin: StandIn) -> None:
    async with signed_in_account(standin) as account:
        first = await account.dashboard()
        standin.alice.quota = 500_000
        assert await account.dashboard(is_activity=False) is first
        assert (await account.dashboard()).quota.remaining_micro_usd == 1_000_000
        standin.alice.quota = 0
        standin.clock.advance(seconds=61)
        assert (await account.dashboard(is_activity=False)).quota.remaining_micro_usd == 0


async def test_a_slow_server_is_asked_once_although_the_page_asks_again_and_again(standin: StandIn) -> None:
    async with signed_in_account(standin) as account:
        first = await account.dashboard()
        standin.alice.quota = 500_000
        standin.clock.advance(seconds=61)
        rest = standin.faults.slow("/api/data/self")
        waiting = asyncio.create_task(account.dashboard(is_activity=False))
        await asyncio.to_thread(wait_until, lambda: not standin.faults.planned[0].times)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await account.dashboard(is_activity=False) is first
        rest.set()
        await asyncio.to_thread(wait_until, lambda: account.known_figures(30) is not first)
        assert (await account.dashboard(is_activity=False)).quota.remaining_micro_usd == 1_000_000


async def test_a_reading_that_failed_is_tried_a_minute_later(standin: StandIn) -> None:
    async with signed_in_account(standin) as account:
        first = await account.dashboard()
        standin.clock.advance(seconds=61)
        standin.faults.sql_error("/api/data/self")
        with pytest.raises(ServerFailed):
            await account.dashboard(is_activity=False)
        with pytest.raises(ServerFailed):  # not asked again, and not said to be read
            await account.dashboard(is_activity=False)
        assert account.known_figures(30) is first
        standin.clock.advance(seconds=61)
        assert await account.dashboard(is_activity=False) is not first


async def test_another_account_does_not_see_the_figures_of_the_one_before(standin: StandIn) -> None:
    add_call(standin, 5_000, days_ago=40)
    count_hours(standin.world)
    standin.world.add_account("bob", PASSWORD)
    async with signed_in_account(standin) as account:
        assert (await account.dashboard()).month.before.cost_micro_usd == CENT
        await account.sign_out()
        with pytest.raises(SessionEnded):
            await account.dashboard(is_activity=False)
        await account.sign_in("bob", PASSWORD)
        assert (await account.dashboard(is_activity=False)).month.before.cost_micro_usd == 0


async def test_without_a_session_there_are_no_figures(standin: StandIn) -> None:
    account = remote_account(standin)
    await account.open()
    with pytest.raises(SessionEnded):
        await account.dashboard()
    await account.close()
