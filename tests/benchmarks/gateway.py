"""Compares the gateway with a minimal relay and a minimal read: prints a table with a bar for each figure.

python -m tests.benchmarks.gateway              # five rounds, 100,000 calls for the memory: some six minutes
python -m tests.benchmarks.gateway --quick      # one short round, 2,000 calls
python -m tests.benchmarks.gateway --check      # status 1 if a bar was missed
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store.money import MICRO_PER_USD
from store.store import Store
from store.values.billing import ModelPrice, QuotaState
from tests.benchmarks.gateway_sides import WORDS
from tests.benchmarks.sides import server_of
from tests.harness.postgres import running_server
from tests.harness.served_gateway import Served, served
from tests.harness.stores import add_account, lift_request_rates, make_ring, make_store, sign_in, sqlite_url

CONNECTIONS: Final = 16
MODEL: Final = "gpt-priced"
COST: Final = 12 + 2 * WORDS
"""Micro-USD per call: one per input token, two per output token."""
CHAT: Final = {"model": MODEL, "messages": [{"role": "user", "content": "Say twenty words."}], "max_tokens": 100}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `is_met`: `value` is on the right side of `bar`."""

    what: str
    ours: str
    theirs: str
    value: float
    bar: float
    is_met: bool


@dataclass(frozen=True, slots=True)
class Setup:
    """URLs of every process in the comparison, and credentials for the gateway."""

    store: Store
    gateway: Served
    upstream: str
    relay: str
    select: str
    key: str
    token: str

    def call(self, *, streams: bool = False) -> dict[str, Any]:
        """A chat request, as an order for `gateway_load`."""
        body = json.dumps({**CHAT, **({"stream": True} if streams else {})})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        return {"method": "POST", "path": "/v1/chat/completions", "headers": headers, "body": body}

    def read(self) -> dict[str, Any]:
        """A read of the account API, as an order for `gateway_load`."""
        return {"path": "/api/account", "headers": {"Authorization": f"Bearer {self.token}"}}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gateway", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round, 2,000 calls for the memory")
    parser.add_argument("--check", action="store_true", help="leave with status 1 if a bar was missed")
    parser.add_argument("--rounds", type=int, help="how often the sides take turns")
    parser.add_argument("--seconds", type=float, help="how long a turn is")
    parser.add_argument("--calls", type=int, help="how many calls the memory is watched over")
    parser.add_argument("--postgresql", action="store_true", help="on a private PostgreSQL server, not on SQLite")
    options = parser.parse_args(arguments)
    rounds = options.rounds or (1 if options.quick else 5)
    seconds = options.seconds or (0.5 if options.quick else 4.0)
    calls = options.calls or (2000 if options.quick else 100_000)
    with set_up(on_postgresql=options.postgresql) as setup:
        figures = measure(setup, rounds, seconds, calls)
    for line in table(figures):
        print(line)
    return int(options.check and not all(figure.is_met for figure in figures))


@contextmanager
def set_up(*, on_postgresql: bool = False) -> Iterator[Setup]:
    """Start a gateway on an SQLite file or a PostgreSQL server that flushes, and the processes it is compared with."""
    with tempfile.TemporaryDirectory(prefix="gatekey-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        url = stack.enter_context(running_server(fsync=True)).create() if on_postgresql else sqlite_url(folder)
        store = stack.enter_context(make_store(url))
        add_account(store)
        store.quota.adjust("alice", set_to=1_000_000 * MICRO_PER_USD, actor="benchmark")
        store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD))
        session = sign_in(store)
        upstream = stack.enter_context(side("upstream"))
        store.site.set("upstream.base_url", f"{upstream}/v1")
        lift_request_rates(store)
        yield Setup(
            store=store,
            gateway=stack.enter_context(served(folder, url, make_ring())),
            upstream=upstream,
            relay=stack.enter_context(side("relay", upstream)),
            select=stack.enter_context(side("select", url)),
            key=store.api_keys.create(session, "laptop").key,
            token=store.access_token.generate(session).token,
        )


@contextmanager
def side(*arguments: str) -> Iterator[str]:
    """Start one of `gateway_sides`; yields its URL."""
    with server_of("tests.benchmarks.gateway_sides", *arguments) as url:
        yield url


def load(url: str, order: dict[str, Any]) -> dict[str, float]:
    """The figures of one run of `gateway_load`. Raises `AssertionError` if a response was not a 200."""
    command = [sys.executable, "-m", "tests.benchmarks.gateway_load", url, json.dumps(order)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said: dict[str, float] = json.loads(done.stdout)
    assert said["refused"] == 0, said
    return said


def measure(setup: Setup, rounds: int, seconds: float, calls: int) -> list[Figure]:
    """Measure every figure. Raises `AssertionError` if a call was not charged and logged."""
    before, called = state(setup), 0
    ours, theirs = [], []
    for turn in range(rounds + 1):
        order = {"connections": CONNECTIONS, "seconds": seconds if turn else min(seconds, 1.0)}
        said = load(setup.gateway.url, {**setup.call(), **order})
        beside = load(setup.relay, {**setup.call(), **order})
        called += int(said["done"])
        if turn:  # the first turn is a warm-up
            ours.append(said)
            theirs.append(beside)
    relayed = throughput("relay, requests/s", ours, theirs, 0.7)
    ours, theirs = [], []
    for turn in range(rounds + 1):
        order = {"connections": CONNECTIONS, "seconds": seconds if turn else min(seconds, 1.0)}
        said, beside = load(setup.gateway.url, {**setup.read(), **order}), load(setup.select, {**setup.read(), **order})
        if turn:
            ours.append(said)
            theirs.append(beside)
    reads = throughput("account read, requests/s", ours, theirs, 0.8)
    streams, streamed = first_byte(setup, max(2, rounds), max(10, int(seconds * 25)))
    together, more = first_byte_together(setup, max(2, rounds), seconds)
    memory = flatness(setup, calls)
    after = state(setup)
    made = called + streamed + more + calls
    charged = after.used_micro_usd - before.used_micro_usd
    assert (charged, after.held_micro_usd) == (made * COST, 0), (charged, made * COST)
    return [relayed, reads, streams, together, memory]


def throughput(what: str, ours: Sequence[dict[str, float]], theirs: Sequence[dict[str, float]], bar: float) -> Figure:
    """The median of the ratios of all rounds."""
    rates = [[said["done"] / said["seconds"] for said in side] for side in (ours, theirs)]
    ratio = statistics.median(our / their for our, their in zip(*rates, strict=True))
    busiest = max(said["cpu"] / said["seconds"] for said in (*ours, *theirs))
    our_rate, their_rate = (f"{statistics.median(rate):,.0f}/s" for rate in rates)
    tail = statistics.median(said["p99"] for said in ours) * 1000
    what = f"{what} (load {busiest:.0%} of a core, p99 {tail:.0f} ms)"
    return Figure(what, our_rate, their_rate, ratio, bar, ratio >= bar)


def first_byte(setup: Setup, rounds: int, count: int) -> tuple[Figure, int]:
    """The time to the first byte of a stream that the gateway adds, in ms; and the number of streams."""
    order = {**setup.call(streams=True), "connections": 1, "count": count, "first_byte": True}
    added, waits = [], []
    for _ in range(rounds):
        direct, through = load(setup.upstream, order), load(setup.gateway.url, order)
        waits.append((through["p50"] * 1000, direct["p50"] * 1000))
        added.append(waits[-1][0] - waits[-1][1])
    ours, theirs = (statistics.median(each) for each in zip(*waits, strict=True))
    value = statistics.median(added)
    what = "first streamed byte, p50 added, ms"
    return Figure(what, f"{ours:.2f} ms", f"{theirs:.2f} ms", value, 5.0, value <= 5.0), rounds * count


def first_byte_together(setup: Setup, rounds: int, seconds: float) -> tuple[Figure, int]:
    """The time to the first byte of each of `CONNECTIONS` streams, beside the relay's; and the number of streams."""
    order = {**setup.call(streams=True), "connections": CONNECTIONS, "seconds": seconds, "first_byte": True}
    turns = [(load(setup.gateway.url, order), load(setup.relay, order)) for _ in range(rounds)]
    ours, theirs = (statistics.median(said["p50"] for said in side) * 1000 for side in zip(*turns, strict=True))
    ratio = statistics.median(our["p50"] / their["p50"] for our, their in turns)
    what = f"first byte of {CONNECTIONS} streams, p50"
    made = sum(int(our["done"]) for our, _ in turns)
    return Figure(what, f"{ours:.2f} ms", f"{theirs:.2f} ms", ratio, 1.5, ratio <= 1.5), made


def flatness(setup: Setup, calls: int) -> Figure:
    """The gateway's resident size after `calls`, compared with that after a tenth of them."""
    order = {**setup.call(), "connections": CONNECTIONS}
    sizes = []
    for count in (calls // 10, calls - calls // 10):
        load(setup.gateway.url, {**order, "count": count})
        sizes.append(resident_mib(setup.gateway.process.pid))
    before, after = sizes
    what = f"memory after {calls:,} calls beside a tenth of them"
    return Figure(what, f"{after:.1f} MiB", f"{before:.1f} MiB", after / before, 1.05, after <= 1.05 * before)


def resident_mib(pid: int) -> float:
    """Resident size of a process. Linux only: proc(5)."""
    (line,) = (each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def state(setup: Setup) -> QuotaState:
    return setup.store.quota.state(sign_in(setup.store))


def table(figures: Sequence[Figure]) -> list[str]:
    """One line per figure: the gateway, the comparison, the ratio or the difference, the bar."""
    lines = [f"{'':60}{'ours':>12}{'beside':>12}{'figure':>9}{'bar':>7}"]
    for figure in figures:
        verdict = "" if figure.is_met else "  missed"
        lines.append(
            f"{figure.what:60}{figure.ours:>12}{figure.theirs:>12}{figure.value:>9.2f}{figure.bar:>7.2f}{verdict}"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
