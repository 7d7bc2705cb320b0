"""Each filter of the usage log, both ways, with the milliseconds of a page.

python -m tests.benchmarks.store_usage_filters                   # a million rows
python -m tests.benchmarks.store_usage_filters --rows 10000000   # ten million: minutes, and 8 GB of disk
python -m tests.benchmarks.store_usage_filters --export          # also writes the whole log, with the memory of it
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from store.new_files import NewFiles
from store.store import Store
from store.values.row_export import ExportFormat, ExportProgress
from store.values.usage import EVERYTHING, Kind, UsageFilter
from tests.benchmarks.store_usage_log import fill
from tests.harness.stores import add_account, make_store, sign_in, sqlite_url

BAR_S: Final = 0.005
"""Seconds that a page of a single filter may take."""
ROWS: Final = 1_000_000
TURNS: Final = 50
_SEVERAL: Final = ("20 models", "model and status", "model and key until", "kind and status, no match")
"""Filters of several values or parts. They read a page, or a bounded number of rows, of each."""
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Timed:
    """One filter, read in one way. The durations are in seconds."""

    what: str
    entries: int
    durations: tuple[float, ...]
    is_single: bool
    """True if the bar is for it."""

    @property
    def p50(self) -> float:
        return statistics.median(self.durations)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.durations, n=20)[-1]

    @property
    def is_met(self) -> bool:
        return not self.is_single or self.p50 <= BAR_S


def filters(rows: int) -> dict[str, UsageFilter]:
    """A filter of each kind, for a log of `rows` rows; the last ones have several parts."""
    middle = _START + timedelta(seconds=rows / 8)
    return {
        "none": EVERYTHING,
        "kind": UsageFilter(kind=Kind.ERROR),
        "model": UsageFilter(models=("model-7",)),
        "key": UsageFilter(keys=("key-3",)),
        "status": UsageFilter(statuses=("503",)),
        "ip": UsageFilter(ip="10.0.0.7"),
        "since": UsageFilter(since=middle),
        "until": UsageFilter(until=middle),
        "since and until": UsageFilter(since=middle, until=middle + timedelta(hours=1)),
        "a model that is absent": UsageFilter(models=("absent",)),
        "20 models": UsageFilter(models=tuple(f"model-{number}" for number in range(20))),
        "model and status": UsageFilter(models=("model-7",), statuses=("503",)),
        "model and key until": UsageFilter(models=("model-7",), keys=("key-3",), until=middle),
        "kind and status, no match": UsageFilter(kind=Kind.ERROR, statuses=("ok",)),
    }


def measure(store: Store, token: str, rows: int, turns: int = TURNS) -> list[Timed]:
    """Every filter from the newest entry, from the middle of the log, and from the oldest."""
    found = []
    for name, only in filters(rows).items():
        is_single = name not in _SEVERAL
        ways: dict[str, Callable[[], object]] = {
            "newest": partial(store.usage.page, token, only),
            "middle": partial(store.usage.page, token, only, before=rows // 2),
            "oldest": partial(store.usage.page_after, token, only),
        }
        found += [time_page(f"{name}, {way}", read, turns, is_single=is_single) for way, read in ways.items()]
    offered = time_page("models, keys and states", partial(store.usage.choices, token), turns, is_single=True)
    return [*found, offered]


def time_page(what: str, read: Callable[[], object], turns: int, *, is_single: bool) -> Timed:
    """`turns` reads, after one that is not counted."""
    page = read()
    durations = []
    for _ in range(turns):
        start = time.perf_counter()
        read()
        durations.append(time.perf_counter() - start)
    return Timed(what, len(getattr(page, "entries", ())), tuple(durations), is_single)


def export(store: Store, token: str, folder: Path) -> str:
    """Write the whole log of the account, and tell what that took."""
    largest = before = _resident_mib()

    def look(_progress: ExportProgress) -> None:
        nonlocal largest
        largest = max(largest, _resident_mib())

    start = time.perf_counter()
    path = NewFiles().write(folder / "log.csv", store.usage_export.pieces(token, ExportFormat.CSV, EVERYTHING, look))
    took = time.perf_counter() - start
    with path.open("rb") as file:
        lines = sum(1 for _ in file) - 1
    return (
        f"export of {lines:,} rows: {took:.1f} s, {path.stat().st_size / 2**20:.0f} MiB; "
        f"resident {before:.1f} MiB before, {largest:.1f} MiB at most"
    )


def _resident_mib() -> float:
    """proc_pid_statm(5)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def table(found: Sequence[Timed]) -> list[str]:
    lines = [f"{'a page of the usage log':44}{'rows':>6}{'p50 ms':>9}{'p95 ms':>9}"]
    for timed in found:
        verdict = "" if timed.is_met else "  missed"
        lines.append(f"{timed.what:44}{timed.entries:>6}{timed.p50 * 1e3:>9.2f}{timed.p95 * 1e3:>9.2f}{verdict}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of two accounts (default: %(default)s)")
    parser.add_argument("--export", action="store_true", help="also export the log of one account")
    parser.add_argument("--folder", type=Path, help="where to build the database; removed afterwards")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gatekey-filters-", dir=options.folder) as name:
        folder = Path(name)
        url = sqlite_url(folder)
        with make_store(url) as store:
            add_account(store, "alice")
            add_account(store, "bob")
            fill(Path(url.removeprefix("sqlite:///")), options.rows)
            token = sign_in(store, "alice")
            found = measure(store, token, options.rows)
            print("\n".join(table(found)), flush=True)
            if options.export:
                print(export(store, token, folder))
    return int(not all(timed.is_met for timed in found))


if __name__ == "__main__":
    sys.exit(main())
