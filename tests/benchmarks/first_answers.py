"""What `gatekey --version` and `gatekey --help` cost, as ratios to an interpreter that does nothing.

    python -m tests.benchmarks.first_answers [--turns 40] [--check]

They take turns, so that a busy machine slows all alike. Processor time is that of the child, user and system.
"""

import argparse
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

BAR: Final = 2.5
_GATEKEY: Final = str(Path(sysconfig.get_path("scripts")) / "gatekey")
_COMMANDS: Final = {
    "pass": (sys.executable, "-c", "pass"),
    "--version": (_GATEKEY, "--version"),
    "--help": (_GATEKEY, "--help"),
}


def cost(command: Sequence[str]) -> tuple[float, float]:
    """Seconds of processor time and of time that one run of `command` takes. Raises CalledProcessError."""
    start = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    taken = perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used.ru_utime + used.ru_stime, taken


def ratios(turns: int) -> dict[str, tuple[float, float]]:
    """Of each answer: processor time and time, by the medians, as ratios to the bare interpreter."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in _COMMANDS}
    for _ in range(turns):
        for name, command in _COMMANDS.items():
            costs[name].append(cost(command))
    medians = {name: [median(figures) for figures in zip(*taken, strict=True)] for name, taken in costs.items()}
    floor = medians.pop("pass")
    return {name: (cpu / floor[0], taken / floor[1]) for name, (cpu, taken) in medians.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--check", action="store_true", help="end with status 1 if a ratio is above the bar")
    arguments = parser.parse_args()
    found = ratios(arguments.turns)
    for name, (cpu, taken) in found.items():
        print(f"{name:10} CPU {cpu:.2f}  time {taken:.2f}  (at most {BAR})")
    return int(arguments.check and max(map(max, found.values())) > BAR)


if __name__ == "__main__":
    sys.exit(main())
