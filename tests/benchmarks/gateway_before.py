"""Compares the gateway with an earlier build of it, on the same databases, under the same load.

python -m tests.benchmarks.gateway_before               # five rounds: ten minutes, and one to build the earlier one
python -m tests.benchmarks.gateway_before --check       # status 1 if a bar was missed
python -m tests.benchmarks.gateway_before --only SQLite --rounds 8 --seconds 2

The earlier build is a commit of this repository in a checkout and an environment of its own, from its own lock.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.gateway import CONNECTIONS, COST, load, side
from tests.harness.postgres import running_server

BEFORE: Final = "9bf4de8"
"""The last commit before the work on the gateway's speed."""
_HERE: Final = Path(__file__).resolve().parents[2]
_SUBJECT: Final = Path(__file__).with_name("gateway_subject.py")
_CHAT: Final = {
    "model": "gpt-priced",
    "messages": [{"role": "user", "content": "Say twenty words."}],
    "max_tokens": 100,
}
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_BARS: Final = {
    "SQLite": {"calls/s": 1.6, "CPU per call": 0.55, "first byte": 0.35, "one connection": 0.6},
    "PostgreSQL": {"calls/s": 6.0, "CPU per call": 0.25, "first byte": 0.35, "one connection": 0.6},
    "PostgreSQL, two workers": {"calls/s": 6.0, "CPU per call": 0.25, "first byte": 0.35, "one connection": 0.6},
}
"""Ratios to the earlier build on the same database. Calls a second may be more, the others less."""


@dataclass(slots=True)
class Subject:
    """One running build. `made` counts its calls."""

    url: str
    pid: int
    key: str
    made: int = 0

    def cpu_s(self) -> float:
        """CPU seconds of the gateway and its workers so far (proc(5))."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(map(_cpu_s, [self.pid, *map(int, children)]))

    def under_load(self, **order: Any) -> dict[str, float]:
        """The figures of one run of `gateway_load`, whose calls are counted."""
        body = json.dumps({**_CHAT, **({"stream": True} if order.get("first_byte") else {})})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        said = load(
            self.url, {"method": "POST", "path": "/v1/chat/completions", "headers": headers, "body": body, **order}
        )
        self.made += int(said["done"])
        return said

    def turn(self, seconds: float) -> dict[str, float]:
        """One turn: calls, then streams, then one connection."""
        before = self.cpu_s()
        calls = self.under_load(connections=CONNECTIONS, seconds=seconds)
        spent = self.cpu_s() - before
        streams = self.under_load(connections=CONNECTIONS, seconds=seconds / 2, first_byte=True)
        alone = self.under_load(connections=1, seconds=seconds / 2)
        return {
            "calls/s": calls["done"] / calls["seconds"],
            "CPU per call": spent / calls["done"] * 1000,
            "first byte": streams["p50"] * 1000,
            "one connection": alone["p50"] * 1000,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.gateway_before", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--check", action="store_true", help="leave with status 1 if a bar was missed")
    parser.add_argument("--rounds", type=int, default=5, help="how often the sides take turns")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long the calls of a turn last")
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL"), help="on one database")
    parser.add_argument("--commit", default=BEFORE, help="the earlier build")
    parser.add_argument("--checkout", type=Path, help="a checkout of it with its environment in .venv, to build none")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        before = options.checkout or stack.enter_context(built(options.commit))
        upstream = stack.enter_context(side("upstream"))
        databases = [options.only] if options.only else ["SQLite", "PostgreSQL"]
        met = [compare(database, before, upstream, options.rounds, options.seconds) for database in databases]
    return int(options.check and not all(met))


@contextmanager
def built(commit: str) -> Iterator[Path]:
    """A checkout of `commit` with its environment in `.venv`; both are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="gatekey-before-") as name:
        checkout = Path(name, "checkout")
        pip = [str(checkout / ".venv/bin/pip"), "install", "-q", "--no-deps"]
        locks = ["--require-hashes", "-r", "requirements-dev.lock", "-r", "requirements-build.lock"]
        subprocess.run(["git", "clone", "-q", str(_HERE), str(checkout)], check=True)
        subprocess.run(["git", "checkout", "-q", commit], check=True, cwd=checkout)
        subprocess.run([sys.executable, "-m", "venv", ".venv"], check=True, cwd=checkout)
        subprocess.run([*pip, *locks], check=True, cwd=checkout)
        subprocess.run([*pip, "--no-build-isolation", "-e", "."], check=True, cwd=checkout)
        yield checkout


def compare(database: str, before: Path, upstream: str, rounds: int, seconds: float) -> bool:
    """Let the sides take turns, print their ratios, and say whether every bar was met."""
    with ExitStack() as stack:
        subjects = {"before": stack.enter_context(_running(before, database, upstream))}
        subjects[database] = stack.enter_context(_running(_HERE, database, upstream))
        if database == "PostgreSQL":
            two = _running(_HERE, database, upstream, "--workers", "2")
            subjects["PostgreSQL, two workers"] = stack.enter_context(two)
        for subject in subjects.values():
            subject.turn(min(1.0, seconds))
        turns = [{name: each.turn(seconds) for name, each in subjects.items()} for _ in range(rounds)]
    print(
        f"{'beside the earlier build':26}{'figure':18}{'before':>9}{'now':>9}   ratios: least, median, greatest    bar"
    )
    is_met = True
    for name in list(subjects)[1:]:
        for figure, bar in _BARS[name].items():
            ratios = sorted(turn[name][figure] / turn["before"][figure] for turn in turns)
            middle = statistics.median(ratios)
            met = middle >= bar if figure == "calls/s" else middle <= bar
            is_met = is_met and met
            was, now = (statistics.median(turn[side][figure] for turn in turns) for side in ("before", name))
            print(
                f"{name:26}{figure:18}{was:>9.2f}{now:>9.2f}{ratios[0]:>11.2f}{middle:>8.2f}{ratios[-1]:>8.2f}"
                f"{bar:>12.2f}{'' if met else '  missed'}",
                flush=True,
            )
    return is_met


@contextmanager
def _running(checkout: Path, database: str, upstream: str, *options: str) -> Iterator[Subject]:
    """The build in `checkout` on a database of its own. Raises `AssertionError` if a call was not charged exactly."""
    with ExitStack() as stack:
        url = stack.enter_context(running_server(fsync=True)).create(migrated=False) if database != "SQLite" else ""
        command = [str(checkout / ".venv/bin/python"), "-P", str(_SUBJECT), url, upstream, *options]
        env = {**os.environ, "PYTHONPATH": str(checkout)}
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=checkout)
        )
        assert process.stdout is not None
        subject = Subject(**json.loads(process.stdout.readline()))
        yield subject
        said, _ = process.communicate("")
        assert json.loads(said) == {"charged": subject.made * COST, "held": 0}, (said, subject.made * COST)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


if __name__ == "__main__":
    sys.exit(main())
