"""The latency of other callers while one client attacks: prints a line for each attack.

python -m tests.benchmarks.pressure
"""

import json
import re
import resource
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from store.money import MICRO_PER_USD
from store.values.billing import ModelPrice
from tests.benchmarks.gateway import MODEL, side
from tests.benchmarks.large_answers import SHAPES, large_answers
from tests.harness.served_gateway import Served, served
from tests.harness.stores import add_account, make_ring, make_store, sign_in, sqlite_url

DESCRIPTORS: Final = 1024
SILENT: Final = 1050
BODIES: Final = 40
BOMBS: Final = 3
_MIB: Final = 1024 * 1024
_CHAT: Final = {"model": MODEL, "messages": [{"role": "user", "content": "Say twenty words."}], "max_tokens": 100}
_PATIENCE: Final = 30.0


@dataclass
class Felt:
    """The latency of callers beside an attack, in milliseconds, and the gateway's own resources."""

    attack: str
    waits: list[float] = field(default_factory=list)
    failures: int = 0
    processor: float = 0.0
    """Of a second."""
    logged: int = 0
    """Bytes."""
    memory: int = 0
    """MiB of resident memory at the most, that of its reading process included."""

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.waits, n=100)[98] if len(self.waits) > 1 else float("inf")

    def __str__(self) -> str:
        middle = statistics.median(self.waits) if self.waits else float("inf")
        return (
            f"BAR pressure {self.attack}: {len(self.waits)} calls beside it, {self.failures} failed, "
            f"p50 {middle:.0f} ms, p99 {self.p99:.0f} ms, worst {max(self.waits, default=float('inf')):.0f} ms; "
            f"{self.processor:.0%} of a core, {self.logged:,} bytes logged, {self.memory} MiB"
        )


@dataclass(frozen=True)
class Setup:
    """A gateway at `DESCRIPTORS` descriptors, a key for the attacks and one for the others."""

    gateway: Served
    attacker: str
    other: str

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.gateway.url.removeprefix("http://").split(":")
        return host, int(port)

    def feel(self, attack: str, act: Callable[[], None], *, seconds: float) -> Felt:
        """Call, on a new connection each time, while `act` goes on, and for `seconds` at the least."""
        felt, is_over = Felt(attack), threading.Event()
        log_before, processor_before, began = self.gateway.log.stat().st_size, self._processor(), time.monotonic()

        def run() -> None:
            try:
                act()
            finally:
                is_over.set()

        thread = threading.Thread(target=run)
        thread.start()
        while not is_over.is_set() or time.monotonic() - began < seconds:
            started = time.perf_counter()
            try:
                headers = {"Authorization": f"Bearer {self.other}"}
                answer = httpx.post(
                    f"{self.gateway.url}/v1/chat/completions", json=_CHAT, headers=headers, timeout=_PATIENCE
                )
                felt.failures += answer.status_code != 200
            except httpx.HTTPError:
                felt.failures += 1
            felt.waits.append((time.perf_counter() - started) * 1000)
            felt.memory = max(felt.memory, self._memory())
            time.sleep(0.01)
        thread.join()
        felt.processor = (self._processor() - processor_before) / (time.monotonic() - began)
        felt.logged = self.gateway.log.stat().st_size - log_before
        return felt

    def silence(self, seconds: float) -> None:
        """Hold as many silent connections open as are let in, and open new ones for those that were closed."""
        until, held = time.monotonic() + seconds, list[socket.socket]()
        try:
            while time.monotonic() < until:
                while len(held) < SILENT:
                    held.append(socket.create_connection(self.address, _PATIENCE))
                time.sleep(0.2)
                held = [each for each in held if not _is_closed(each)]
        finally:
            for connection in held:
                connection.close()

    def unfinished(self, seconds: float) -> None:
        """Send all but the last byte of as many large bodies as are taken."""
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.attacker}\r\nContent-Length: {32 * _MIB}\r\n\r\n"
        ).encode()
        until, held = time.monotonic() + seconds, list[socket.socket]()
        for _ in range(BODIES):
            connection = socket.create_connection(self.address, _PATIENCE)
            held.append(connection)
            try:
                connection.sendall(head + b"x" * (32 * _MIB - 1))
            except OSError:
                continue  # it was refused
        time.sleep(max(until - time.monotonic(), 0))
        for connection in held:
            connection.close()

    def bomb(self, content: bytes) -> None:
        """Send `content` a few times."""
        headers = {"Authorization": f"Bearer {self.attacker}", "Content-Type": "application/json"}
        for _ in range(BOMBS):
            httpx.post(f"{self.gateway.url}/v1/chat/completions", content=content, headers=headers, timeout=120)

    def receive(self, shape: str) -> None:
        """Take a large answer of that shape a few times."""
        headers, body = {"Authorization": f"Bearer {self.attacker}"}, {**_CHAT, "user": shape}
        url = f"{self.gateway.url}/v1/chat/completions"
        for _ in range(BOMBS):
            with httpx.stream("POST", url, json=body, headers=headers, timeout=120) as answer:
                assert answer.status_code == 200, shape
                for _ in answer.iter_raw():
                    pass

    def _processor(self) -> float:
        fields = Path(f"/proc/{self.gateway.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def _memory(self) -> int:
        mine = self.gateway.process.pid
        children = Path(f"/proc/{mine}/task/{mine}/children").read_text().split()
        return sum(_resident(pid) for pid in (str(mine), *children))


def _resident(pid: str) -> int:
    try:
        said = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", said)
    return int(found[1]) // 1024 if found else 0


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@contextmanager
def set_up(models: AbstractContextManager[str] | None = None) -> Iterator[Setup]:
    """The gateway on an SQLite file, in front of a quick model server or of `models`."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with tempfile.TemporaryDirectory(prefix="gatekey-pressure-") as name, ExitStack() as stack:
        folder, url = Path(name), sqlite_url(Path(name))
        store = stack.enter_context(make_store(url))
        store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD))
        keys = []
        for account in ("alice", "bob"):
            add_account(store, account, quota_usd=1000, email=f"{account}@example.com")
            keys.append(store.api_keys.create(sign_in(store, account), "laptop").key)
        store.site.set("upstream.base_url", f"{stack.enter_context(models or side('upstream'))}/v1")
        gateway = stack.enter_context(served(folder, url, make_ring(), descriptors=DESCRIPTORS))
        yield Setup(gateway, *keys)


def measure(seconds: float) -> Iterator[Felt]:
    """Each attack, for `seconds` or until it is over, on a gateway of its own."""
    numbers = ",".join(["9" * 4300] * 7400)
    digits = f'{{"model": "{MODEL}", "messages": [{numbers}]}}'.encode()
    halves = ",".join(["0." + "1234567890" * 6] * 450_000)
    floats = f'{{"model": "{MODEL}", "messages": [{halves}]}}'.encode()
    names = ",".join(f'"{number:07}":1' for number in range(450_000))
    fields = f'{{"model": "{MODEL}", "messages": {{{names}}}}}'.encode()
    picture = json.dumps({**_CHAT, "messages": [{"role": "user", "content": "x" * (31 * _MIB)}]}).encode()
    with set_up() as setup:
        yield setup.feel("nothing", lambda: None, seconds=seconds)
        for attack, content in (
            ("digits", digits),
            ("floats", floats),
            ("fields", fields),
            ("one long text", picture),
        ):
            yield setup.feel(f"{BOMBS} x {attack}", partial(setup.bomb, content), seconds=seconds)
        yield setup.feel(f"{BODIES} unfinished bodies", lambda: setup.unfinished(seconds), seconds=seconds)
    with set_up() as setup:
        yield setup.feel(f"{SILENT} silent connections", lambda: setup.silence(seconds), seconds=seconds)
    yield from measure_answers(seconds)


def measure_answers(seconds: float) -> Iterator[Felt]:
    """The same of large answers of the model server: the worst wait is the longest stall of the event loop, about."""
    with set_up(large_answers()) as setup:
        yield setup.feel("nothing, again", lambda: None, seconds=seconds)
        for shape in SHAPES:
            yield setup.feel(f"{BOMBS} x large answer, {shape}", partial(setup.receive, shape), seconds=seconds)


def main(seconds: float = 15.0) -> list[Felt]:
    """Print each line as it comes."""
    figures = []
    for felt in measure(seconds):
        print(felt, flush=True)
        figures.append(felt)
    return figures


if __name__ == "__main__":
    main()
