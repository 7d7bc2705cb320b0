"""A short run of the benchmark of HTTP clients."""

import asyncio

from tests.benchmarks.gateway import side
from tests.benchmarks.http_clients import AT_ONCE, measure, new_loop, table


def test_every_client_that_is_installed_made_calls() -> None:
    """A turn raises if an answer was no 200, or too short."""
    with side("upstream") as upstream, asyncio.Runner(loop_factory=new_loop) as runner:
        found = runner.run(measure(upstream, rounds=1, seconds=0.02))
    names = {name for name, _, _ in found}
    assert {"floor", "the gateway's own"} < names
    assert set(found) == {
        (name, streams, at_once) for name in names for streams in (False, True) for at_once in (1, AT_ONCE)
    }
    assert all(turn.rate > 0 and turn.cpu > 0 and turn.first <= turn.whole * 10 for turn in found.values())
    assert len(table(found)) == 1 + 2 * len(names)
