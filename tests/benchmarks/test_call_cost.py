"""What a relayed call asks of the database: counted on PostgreSQL's socket, and in the process on SQLite."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks.call_cost import call, counting
from tests.benchmarks.message_counter import counted
from tests.harness.gateway_client import make_relayed
from tests.harness.postgres import PostgresServer
from tests.harness.stores import lift_request_rates, make_store, sqlite_url

CALLS: Final = 30


@pytest.mark.parametrize("at_once", [1, 10])
def test_a_call_is_one_round_trip_for_each_commit(postgres_server: PostgresServer, at_once: int) -> None:
    with (
        postgres_server.database() as url,
        counted(postgres_server) as (through, counter),
        make_store(through(url)) as store,
    ):
        lift_request_rates(store)
        key = make_relayed(store, quota_usd=1000)
        asyncio.run(call(store, key, CALLS, 1))
        with counting(store, counter) as seen:
            asyncio.run(call(store, key, CALLS, at_once))
    assert seen.round_trips is not None
    # Some read the settings again, which is once in half a second, or prepare a statement on another connection. How
    # many calls share a commit depends on the machine, so calls made at once may need as many as calls one by one.
    assert CALLS < seen.round_trips <= 2 * CALLS + 20 * (1 if at_once == 1 else 2), seen
    assert 2 <= seen.writes <= 2 * CALLS


def test_both_write_transactions_of_a_call_on_sqlite_are_counted(tmp_path: Path) -> None:
    with make_store(sqlite_url(tmp_path)) as store:
        lift_request_rates(store)
        key = make_relayed(store, quota_usd=1000)
        asyncio.run(call(store, key, CALLS, 1))
        with counting(store, None) as seen:
            asyncio.run(call(store, key, CALLS, 1))
    # The use of the key is noted once a minute; the settings are read again each half second.
    assert 2 * CALLS <= seen.writes <= 2 * CALLS + 2, seen
    assert seen.reads <= CALLS, seen
