"""Compares the gateway with an earlier build of it, on the same databases, under the same load.

python -m tests.benchmarks.gateway_before               # five rounds: five minutes, and one to build the earlier one
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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests.benchmarks.gateway import CHAT, CONNECTIONS, COST, load, side
from tests.harness.postgres import running_server

BEFORE: Final = "9bf4de8"
"""The last commit before the work on the gateway's speed."""
_HERE: Final = Path(__file__).resolve().parents[2]
_SUBJECT: Final = Path(__file__).with_name("gateway_subject.py")
_HEADERS: Final = {"Content-Type": "application/json"}
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
SIDES: Final[Mapping[str, tuple[str, bool, tuple[str, ...]]]] = {
    "SQLite, before": ("SQLite", True, ()),
    "SQLite": ("SQLite", False, ()),
    "PostgreSQL, before": ("PostgreSQL", True, ()),
    "PostgreSQL": ("PostgreSQL", False, ()),
    "PostgreSQL, two workers": ("PostgreSQL", False, ("--workers", "2")),
}
"""By name: the database, whether it is the earlier build, and options of `gatekey serve`."""
_OTHERS: Final = {"first byte": 0.35, "one connection": 0.6}
BARS: Final[Sequence[tuple[str, str, Mapping[str, float]]]] = (
    ("SQLite", "SQLite, before", {"calls/s": 1.6, "CPU per call": 0.55, **_OTHERS}),
    ("PostgreSQL", "PostgreSQL, before", {"calls/s": 6.0, "CPU per call": 0.25, **_OTHERS}),
    ("PostgreSQL, two workers", "PostgreSQL, before", {"calls/s": 6.0, "CPU per call": 0.25, **_OTHERS}),
    ("PostgreSQL, two workers", "SQLite", {"calls/s": 0.9}),
)
"""A side, the one beside it, and the bars for ratios of figures: at least for calls a second, at most for others."""
Turn: TypeAlias = Mapping[str, Mapping[str, float]]
"""The figures of each side in one round."""


@dataclass(slots=True)
class Subject:
    """One running build. `made` counts its calls."""

    url: str
    pid: int
    keys: list[str]
    """One of each account."""
    made: int = 0

    def cpu_s(self) -> float:
        """CPU seconds of the gateway and its workers so far (proc(5))."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(map(_cpu_s, [self.pid, *map(int, children)]))

    def under_load(self, **order: Any) -> dict[str, float]:
        """The figures of one run of `gateway_load`, whose calls are counted."""
        body = json.dumps({**CHAT, **({"stream": True} if order.get("first_byte") else {})})
        call = {"method": "POST", "path": "/v1/chat/completions", "headers": _HEADERS, "body": body, "keys": self.keys}
        said = load(self.url, {**call, **order})
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
    parser.add_argument("--accounts", type=int, default=1, help="how many accounts the connections belong to")
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL"), help="on one database")
    parser.add_argument("--commit", default=BEFORE, help="the earlier build")
    parser.add_argument("--checkout", type=Path, help="a checkout of it with its environment in .venv, to build none")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        before = options.checkout or stack.enter_context(built(options.commit))
        upstream = stack.enter_context(side("upstream"))
        subjects = {
            name: stack.enter_context(
                _running(before if is_before else _HERE, database, upstream, *more, accounts=options.accounts)
            )
            for name, (database, is_before, more) in SIDES.items()
            if options.only in (None, database)
        }
        for subject in subjects.values():
            subject.turn(min(1.0, options.seconds))
        turns = [{name: each.turn(options.seconds) for name, each in subjects.items()} for _ in range(options.rounds)]
    return int(not show(turns) and options.check)


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


def show(turns: Sequence[Turn]) -> bool:
    """Print the ratios of the sides, and say whether every bar was met."""
    print(f"{'':26}{'beside':22}{'figure':16}{'beside':>9}{'here':>9}   ratios: least, median, greatest    bar")
    is_met = True
    for name, beside, bars in BARS:
        if not {name, beside} <= turns[0].keys():
            continue
        for figure, bar in bars.items():
            ratios = sorted(turn[name][figure] / turn[beside][figure] for turn in turns)
            middle = statistics.median(ratios)
            met = middle >= bar if figure == "calls/s" else middle <= bar
            is_met = is_met and met
            theirs, ours = (statistics.median(turn[each][figure] for turn in turns) for each in (beside, name))
            print(
                f"{name:26}{beside:22}{figure:16}{theirs:>9.2f}{ours:>9.2f}{ratios[0]:>11.2f}{middle:>8.2f}"
                f"{ratios[-1]:>8.2f}{bar:>12.2f}{'' if met else '  missed'}",
                flush=True,
            )
    return is_met


@contextmanager
def _running(checkout: Path, database: str, upstream: str, *options: str, accounts: int = 1) -> Iterator[Subject]:
    """The build in `checkout` on a database of its own. Raises `AssertionError` if a call was not charged exactly."""
    with ExitStack() as stack:
        url = stack.enter_context(running_server(fsync=True)).create(migrated=False) if database != "SQLite" else ""
        command = [str(checkout / ".venv/bin/python"), "-P", str(_SUBJECT), url, upstream, str(accounts), *options]
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
