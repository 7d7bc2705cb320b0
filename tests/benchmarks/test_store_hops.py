"""A short run of the benchmark of the hop to a writer thread."""

import asyncio
from pathlib import Path

from tests.benchmarks.http_clients import new_loop
from tests.benchmarks.store_hops import AMOUNT, another_writer, blocked, blocked_table, compare, subject, table
from tests.harness.postgres import PostgresServer
from tests.harness.stores import sqlite_url


def test_both_ways_make_every_hold(postgres_server: PostgresServer) -> None:
    """`compare` raises if one was refused."""
    with postgres_server.database() as url, asyncio.Runner(loop_factory=new_loop) as runner:
        found = runner.run(compare(url, rounds=1, seconds=0.05))
    assert [at_once for _, at_once in found] == [1, 1, 1, 16, 16]
    assert len(table(found)) == 6


def test_every_hold_on_sqlite_was_booked(tmp_path: Path) -> None:
    """`blocked` raises if one was not."""
    url = sqlite_url(tmp_path)
    with subject(url) as on, another_writer(url):
        found = blocked(on, calls=3, rounds=2)
        with on.store.database.look() as tx:
            state = on.store.quota.state_of(tx, on.known.holder.account_id)
    assert (state.held_micro_usd, state.used_micro_usd) == (0, 2 * (1 + 3) * AMOUNT)
    assert {name: len(each) for name, each in found.items()}["bookings of 3 calls together"] == 2
    assert len(blocked_table("", found)) == 5
