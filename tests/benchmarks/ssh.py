"""Runs the console over SSH and a floor in turns, in real terminals, and prints what a session costs.

    python -m tests.benchmarks.ssh [--rounds 5] [--sessions 5]

The floor is a bare Textual application that is started directly. The console is reached by OpenSSH's client over the
loopback, with a registered key: the time counts from the start of `ssh`, the handshake included. Both are also started
on a terminal of 132x43, a size for which the server has prepared nothing; that console is compared with that floor. A
client with a key of nobody gets the sign-in screen. Memory is PSS, which divides shared pages by who shares them; that
of a further session is the difference between many and one, over all processes of the server. Beside it stand as many
consoles that are started directly on the same account.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.benchmarks.console import FLOOR_COMMAND, ROOT, memory_mb, plain_text
from tests.e2e.installed import Installed
from tests.e2e.ssh_server import NAME, SshServer, children, make_key, register, ssh_server
from tests.harness.pty_terminal import PtyTerminal
from tests.harness.stores import PASSWORD

PAINTED = "Two-Factor Authentication"
"""Text of the first paint, in one piece."""
SIGN_IN = "Sign in"
USUAL = (80, 24)
LARGE = (132, 43)
"""Columns and lines."""
LOADED = "all that is stored, one file"
LOADED_WITHOUT_FILES = "Saving to a file is off here."


def first_paint(terminal: PtyTerminal, painted: str) -> float:
    """Milliseconds from the start of the process until a text is on the wire."""
    terminal.wait_for(lambda terminal: painted in plain_text(terminal.raw))
    return (perf_counter() - terminal.started) * 1e3


def register_key(server: SshServer, folder: Path) -> Path:
    key = make_key(folder, "person")
    register(server, key)
    return key


def server_memory(server: SshServer) -> float:
    """PSS of all processes of the server, in MB."""
    pids = [server.process.pid, server.zygote, *children(server.zygote)]
    return sum(memory_mb(pid, "Pss") for pid in pids)


def memory_of_sessions(server: SshServer, key: Path, count: int) -> tuple[float, float]:
    """PSS in MB of a further session over SSH, and of one that is started directly."""
    with ExitStack() as stack:
        grown = []
        for _ in range(count + 1):
            client = stack.enter_context(server.client(NAME, "-i", str(key)))
            client.until(LOADED)
            client.settle(1.0)
            grown.append(server_memory(server))
    over_ssh = (grown[-1] - grown[0]) / count
    with ExitStack() as stack:
        consoles: list[Installed] = []
        for _ in range(count + 1):
            console = stack.enter_context(server.home.console("--no-files"))
            console.until("Sign in enter")
            console.enter("Username", NAME)
            console.enter("Password", PASSWORD, masked=True)
            console.until(LOADED_WITHOUT_FILES)
            console.settle(1.0)
            consoles.append(console)
        direct = sum(memory_mb(console.pid, "Pss") for console in consoles) / len(consoles)
    return over_ssh, direct


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.ssh", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each, interleaved")
    parser.add_argument("--sessions", type=int, default=5, help="further sessions at once")
    parsed = parser.parse_args(arguments)
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, ssh_server(Path(folder)) as server:
        key, unknown = register_key(server, Path(folder)), make_key(Path(folder), "unknown")
        for _ in range(parsed.rounds):
            for size in (USUAL, LARGE):
                columns, lines = size
                with PtyTerminal(FLOOR_COMMAND, cwd=ROOT, columns=columns, lines=lines) as terminal:
                    times.setdefault(f"floor, {columns}x{lines}", []).append(first_paint(terminal, "Sidebar"))
                with server.client(NAME, "-i", str(key), columns=columns, lines=lines) as client:
                    times.setdefault(f"console over SSH, {columns}x{lines}", []).append(first_paint(client, PAINTED))
            with server.client(NAME, "-i", str(unknown)) as client:
                times.setdefault("sign-in screen over SSH", []).append(first_paint(client, SIGN_IN))
            with PtyTerminal([*server.command(NAME, "-T", "-i", str(key))]) as client:
                times.setdefault("handshake alone", []).append(first_paint(client, "needs a terminal"))
        print(f"{'':28}{'median':>10}{'least':>10}{'to floor':>10}{'of mins':>10}")
        for name, taken in times.items():
            large = "x".join(map(str, LARGE))
            floor = times[f"floor, {large}" if large in name else next(iter(times))]
            ratios = median(taken) / median(floor), min(taken) / min(floor)
            print(f"{name:28}{median(taken):8.0f}ms{min(taken):8.0f}ms{ratios[0]:10.2f}{ratios[1]:10.2f}")
        idle = server_memory(server)
        session, direct = memory_of_sessions(server, key, parsed.sessions)
        print(f"PSS of the server without a session: {idle:.1f} MB")
        print(f"PSS of a further session: {session:.1f} MB over SSH, {direct:.1f} MB directly ({session / direct:.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
