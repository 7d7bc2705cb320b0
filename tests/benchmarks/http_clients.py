"""HTTP clients towards the model server: the gateway's own beside httpx, aiohttp, niquests and pyreqwest.

python -m tests.benchmarks.http_clients [--rounds N] [--seconds S]

One process makes calls to the quick model server of `gateway_sides`, sixteen at a time and one at a time, with
connections that stay open, on the gateway's event loop. The clients take turns; the figures are medians of the rounds.
CPU is that of the process with all its threads. `floor` is a bare protocol that sends the same bytes and looks for the
end of the answer: no client can need less. The last three are no requirement of the gateway: those that are not
installed are skipped.
"""

import argparse
import asyncio
import importlib
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from gateway.serve import event_loop, tune_garbage_collector
from tests.benchmarks.gateway import side
from tests.benchmarks.gateway_load import put_under_load
from tests.benchmarks.http_client_kinds import BODIES, Client, clients_of, with_id

AT_ONCE: Final = 16
ROUNDS: Final = 5
SECONDS: Final = 0.4
PATH: Final = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Turn:
    """The figures of one turn, per call: CPU in us, latencies in ms."""

    rate: float
    cpu: float
    first: float
    whole: float


async def turn_of(client: Client, *, streams: bool, at_once: int, seconds: float) -> Turn:
    """Let a client make calls."""
    firsts: list[float] = []
    wholes: list[float] = []

    async def caller(number: int) -> None:
        while (started := time.perf_counter()) < until:
            request_id, size, first = f"req_{number}_{len(wholes)}", 0, 0.0
            if streams:
                async for chunk in client.stream(request_id):
                    first = first or time.perf_counter()
                    size += len(chunk)
            else:
                size = len(await client.answer(request_id))
            assert size > 300
            wholes.append(time.perf_counter() - started)
            firsts.append((first or time.perf_counter()) - started)

    cpu, begun = time.process_time(), time.perf_counter()
    until = begun + seconds
    await asyncio.gather(*map(caller, range(at_once)))
    spent, passed, calls = time.process_time() - cpu, time.perf_counter() - begun, len(wholes)
    return Turn(calls / passed, spent / calls * 1e6, _median_ms(firsts), _median_ms(wholes))


async def floor_of(url: str, *, streams: bool, at_once: int, seconds: float) -> Turn:
    """The same calls by bare protocols: half of the turn for the first byte, half for the whole answer."""
    order: dict[str, Any] = {
        "method": "POST",
        "path": PATH,
        "headers": with_id("req_1"),
        "body": BODIES[streams].decode(),
    }
    order |= {"connections": at_once, "seconds": seconds / 2}
    cpu = time.process_time()
    first = await put_under_load(url, {**order, "first_byte": True})
    whole = await put_under_load(url, order)
    spent, calls = time.process_time() - cpu, first["done"] + whole["done"]
    rate = calls / (first["seconds"] + whole["seconds"])
    return Turn(rate, spent / calls * 1e6, first["p50"] * 1000, whole["p50"] * 1000)


def _median_ms(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000


async def measure(upstream: str, rounds: int, seconds: float) -> dict[tuple[str, bool, int], Turn]:
    """The medians of all rounds, by client, whether it streams, and calls at once."""
    clients = clients_of(upstream + PATH)
    turns: dict[tuple[str, bool, int], list[Turn]] = {}
    for number in range(rounds + 1):
        for streams in (False, True):
            for at_once in (AT_ONCE, 1):
                how: dict[str, Any] = {"streams": streams, "at_once": at_once, "seconds": seconds}
                for name, client in [*clients.items()][:: 1 if number % 2 else -1]:
                    turns.setdefault((name, streams, at_once), []).append(await turn_of(client, **how))
                turns.setdefault(("floor", streams, at_once), []).append(await floor_of(upstream, **how))
    for client in clients.values():
        await client.aclose()
    names = ["floor", *clients]
    # The first round is a warm-up.
    medians = {which: Turn(*map(statistics.median, _columns(found[1:]))) for which, found in turns.items()}
    return dict(sorted(medians.items(), key=lambda item: names.index(item[0][0])))


def _columns(turns: Sequence[Turn]) -> list[list[float]]:
    return [[getattr(turn, each.name) for turn in turns] for each in fields(Turn)]


def table(found: Mapping[tuple[str, bool, int], Turn]) -> list[str]:
    """A line for each client and number of calls at once: whole answers, then streams."""
    head = f"{'':24}{'at once':>8}" + f"{'calls/s':>9}{'CPU, us':>9}{'all, ms':>9}"
    lines = [head + f"{'streams/s':>12}{'CPU, us':>9}{'first, ms':>11}{'all, ms':>9}"]
    for at_once in (AT_ONCE, 1):
        for name in dict.fromkeys(name for name, _, _ in found):
            whole, streamed = (found[name, streams, at_once] for streams in (False, True))
            line = f"{name:24}{at_once:>8}{whole.rate:>9,.0f}{whole.cpu:>9.0f}{whole.whole:>9.2f}"
            more = f"{streamed.rate:>12,.0f}{streamed.cpu:>9.0f}{streamed.first:>11.2f}{streamed.whole:>9.2f}"
            lines.append(line + more)
    return lines


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop of the kind that the gateway has."""
    if event_loop() == "asyncio":
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = importlib.import_module("uvloop").new_event_loop()
    return loop


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often the clients take turns")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long a turn is")
    options = parser.parse_args()
    tune_garbage_collector()
    with side("upstream") as upstream, asyncio.Runner(loop_factory=new_loop) as runner:
        print(*table(runner.run(measure(upstream, options.rounds, options.seconds))), sep="\n")


if __name__ == "__main__":
    main()
