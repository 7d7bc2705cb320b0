"""The cost of the store beside its bare parts: prints one table, and whether each bar was met.

python -m tests.benchmarks.store            # everything, with ten million rows: a few minutes and 4 GB of disk
python -m tests.benchmarks.store --quick    # a hundred thousand rows
python -m tests.benchmarks.store --check    # status 1 if a bar was missed
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.sides import Comparison
from tests.benchmarks.store_sign_in import compare_sign_in
from tests.benchmarks.store_statements import compare_statements
from tests.benchmarks.store_usage_log import LONG, compare_pages

BYTES_PER_ROW = 400
"""The bytes of a row of the usage log and its indexes on the disk, doubled for building them."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.store", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a usage log of 100,000 rows, a tenth of the turns")
    parser.add_argument("--check", action="store_true", help="leave with status 1 if a bar was missed")
    parser.add_argument("--folder", type=Path, help="where to build the databases; removed afterwards")
    options = parser.parse_args(arguments)
    rows, turns = (100_000, 200) if options.quick else (LONG, 2000)
    with tempfile.TemporaryDirectory(prefix="gatekey-benchmark-", dir=options.folder) as name:
        folder = Path(name)
        free = shutil.disk_usage(folder).free
        if free < rows * BYTES_PER_ROW:
            parser.error(f"{rows * BYTES_PER_ROW >> 30} GiB are needed in {folder.parent}, {free >> 30} are free")
        results = measure(folder, rows, turns)
    for line in table(results):
        print(line)
    return int(options.check and not all(result.is_met for result in results))


def measure(folder: Path, rows: int, turns: int) -> list[Comparison]:
    """Every comparison, in a folder of its own each."""
    for name in ("statements", "sign-in", "log"):
        (folder / name).mkdir()
    return [
        *compare_statements(folder / "statements", turns),
        compare_sign_in(folder / "sign-in", max(10, turns // 50)),
        *compare_pages(folder / "log", turns, rows),
    ]


def table(results: Sequence[Comparison]) -> list[str]:
    """One line per comparison: medians and 95th percentiles in microseconds, peak memory in MiB, the ratio, the bar."""
    widths = {
        "p50 us": 10,
        "p95 us": 10,
        "peak MiB": 10,
        "+MiB": 7,
        "beside p50": 12,
        "its +MiB": 10,
        "ratio": 8,
        "bar": 6,
    }
    lines = [" " * 38 + "".join(f"{name:>{width}}" for name, width in widths.items())]
    for result in results:
        ours, theirs = result.ours, result.theirs
        verdict = "" if result.is_met else "  missed"
        lines.append(
            f"{result.what:38}{ours.p50 * 1e6:>10,.0f}{ours.p95 * 1e6:>10,.0f}{ours.peak_mib:>10.1f}"
            f"{ours.grown_mib:>7.1f}{theirs.p50 * 1e6:>12,.0f}{theirs.grown_mib:>10.1f}"
            f"{result.ratio:>8.2f}{result.bar:>6.2f}{verdict}"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
