"""Starts the console with an account on a server, with the demo's, and the light floor, in turns.

    python -m tests.benchmarks.server_start [--rounds 10] [--check]

The server is a stand-in of August 2026 on the loopback, and the session is kept, so that nobody has to sign in.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks.console import FLOOR_COMMAND, SCENARIOS, Bar, Figures, Run, measure, verdict
from tests.new_api.generations import Generation
from tests.new_api.running import PASSWORD, running

GATEKEY: Final = str(Path(sys.executable).with_name("gatekey"))
BARS: Final = {
    "first paint": Bar(1.1, "ms"),
    "first key answered": Bar(None, "ms"),
    "memory at first paint (RSS)": Bar(None, "MB"),
}
"""The figures of a start. The bars are ratios to the light floor."""


def keep_session(address: str, configuration: Path) -> None:
    """Sign in to the server once, and keep the session below `configuration`."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(configuration), "XDG_DATA_HOME": str(configuration)}
    command = (GATEKEY, "server", "add", address, "--name", "alice")
    subprocess.run(command, env=environment, input=f"{PASSWORD}\n", text=True, check=True, capture_output=True)


def start_on_server(address: str, configuration: Path) -> Figures:
    """One start of the console that takes up the kept session."""
    run = Run((GATEKEY, "--server", address), SCENARIOS["gatekey"], configuration)
    with run.terminal:
        return run.start()


def report(floor: Figures, demo: Figures, server: Figures) -> bool:
    """Print the table. True if no bar was missed."""
    print(f"{'':28}{'light':>10}{'demo':>10}{'server':>10}  unit {'to light':>10}{'of mins':>9}{'bar':>7}")
    is_met = True
    for name, bar in BARS.items():
        middles = [median(figures[name]) for figures in (floor, demo, server)]
        said = verdict(bar, middles[0], middles[2])
        is_met = is_met and said != "MISSED"
        columns = "".join(f"{each:10.1f}" for each in middles)
        least = min(server[name]) / min(floor[name])
        limit = "" if bar.ratio is None else f"{bar.ratio:g}"
        ratio = middles[2] / middles[0]
        print(f"{name:28}{columns}  {bar.unit:5}{ratio:10.2f}{least:9.2f}{limit:>7}  {said}")
    return is_met


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 if `--check` is given and a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.server_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="starts of each, interleaved")
    parser.add_argument("--check", action="store_true", help="end with status 1 if a bar was missed")
    parsed = parser.parse_args(arguments)
    floor: Figures = defaultdict(list)
    demo: Figures = defaultdict(list)
    server: Figures = defaultdict(list)
    with running(Generation.AUG) as standin, tempfile.TemporaryDirectory() as folder:
        keep_session(standin.address, Path(folder))
        for number in range(1, parsed.rounds + 1):
            print(f"round {number} of {parsed.rounds}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
            for figures, found in (
                (floor, measure(FLOOR_COMMAND, SCENARIOS["floor"], None)),
                (demo, measure((GATEKEY, "--demo"), SCENARIOS["gatekey"], None)),
                (server, start_on_server(standin.address, Path(folder))),
            ):
                for name, values in found.items():
                    figures[name] += values
    return 1 if not report(floor, demo, server) and parsed.check else 0


if __name__ == "__main__":
    sys.exit(main())
