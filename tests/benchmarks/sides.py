"""Two sides of a comparison, measured turn by turn in one process, and what a side needs of memory."""

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CLEAR: Final = Path("/proc/self/clear_refs")
_STATUS: Final = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Side:
    """One way to do a thing: durations in seconds, peak memory in MiB."""

    durations: tuple[float, ...]
    peak_mib: float
    """The process's largest resident size while this side ran on its own."""
    grown_mib: float
    """The part of it that the side added."""

    @property
    def p50(self) -> float:
        return statistics.median(self.durations)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.durations, n=20)[-1]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours beside what it is measured against, and how much slower it may be."""

    what: str
    ours: Side
    theirs: Side
    bar: float

    @property
    def ratio(self) -> float:
        """By the medians."""
        return self.ours.p50 / self.theirs.p50

    @property
    def is_met(self) -> bool:
        return self.ratio <= self.bar


@contextmanager
def server_of(module: str, *arguments: str) -> Iterator[str]:
    """Run a module that prints its address and serves; yields that address."""
    with subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def compare(
    what: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    bar: float,
    turns: int,
) -> Comparison:
    """Let both do it `turns` times, in turn, so that whatever else the machine does falls on both alike."""
    acts = (ours, theirs)
    for act in acts:
        for _ in range(max(2, turns // 20)):
            act()
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns):
        for side in (0, 1) if turn % 2 else (1, 0):
            start = time.perf_counter()
            acts[side]()
            taken[side].append(time.perf_counter() - start)
    sides = [Side(tuple(taken[n]), *peak_memory(acts[n], turns=min(turns, 20))) for n in (0, 1)]
    return Comparison(what, sides[0], sides[1], bar)


def peak_memory(act: Callable[[], object], *, turns: int) -> tuple[float, float]:
    """The largest resident size of the process while `act` runs, and how far above the size before (proc(5)), in MiB.

    Linux keeps the largest size, and forgets it when 5 is written to clear_refs. Elsewhere both are zero.
    """
    if not os.access(_CLEAR, os.W_OK):
        return 0.0, 0.0
    gc.collect()
    before = _resident("VmRSS")
    _CLEAR.write_text("5")
    for _ in range(turns):
        act()
    peak = _resident("VmHWM")
    return peak, max(0.0, peak - before)


def _resident(field: str) -> float:
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024
