"""Runs the console and two floors in turns, in real terminals, and prints its costs as ratios to theirs.

    python -m tests.benchmarks.console [--rounds 5] [--check] [--command "gatekey --demo"] [--against "gatekey --demo"]

Only the ratios travel between machines. Bytes repeat exactly; times are medians over interleaved rounds (floors,
console, floors, console, ...), so that a busy machine slows both.
"""

import argparse
import os
import re
import shlex
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from tests.harness.pty_terminal import Burst, PtyTerminal

ROOT: Final = Path(__file__).parents[2]
FLOOR_COMMAND: Final = (sys.executable, "-m", "tests.benchmarks.floor")
HEAVY_COMMAND: Final = (*FLOOR_COMMAND, "--heavy")
QUIET: Final = 0.4
"""Seconds without output after which an act is over: longer than the pauses inside Textual's animations."""
REST: Final = 1.5
"""Seconds without output after which a start is over: a busy machine pauses longer between its first paints."""
STARTS: Final = 4
"""Starts per round beside its session: there is one figure in each, and they scatter most."""
TAB_COUNT: Final = 6
TOLERANCE: Final = 1.25
"""The factor by which a time may exceed its bar before `--check` fails: medians of five rounds differ that much."""

_SEQUENCES: Final = re.compile(rb"\x1b(?:\[[?<>=]?[\d;]*\$?[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\))")

Figures = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """The steps that drive one program through the compared acts."""

    painted: str
    """Text of the first paint, in one piece."""
    settled: str
    """Text that shows once the program has loaded what it shows first."""
    answered: str
    """Text that shows on the next tab and not on the first."""
    modal: str
    """The key that opens a modal whose first field has the focus."""
    modal_shown: str
    """Text of that modal."""
    next_tab: str = "ctrl+pagedown"
    close: str = "escape"
    leave: str = "ctrl+q"


SCENARIOS: Final = {
    "floor": Scenario("Sidebar", "Text of tab 1", "Text of tab 2", "f4", "Dialog field 3"),
    "gatekey": Scenario("Two-Factor Authentication", "/5", "Quota Warning Threshold", "p", "Original password"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure's limit as a ratio to the floor's cost, and its unit."""

    ratio: float | None
    unit: str


BARS: Final = {
    "first paint": Bar(0.95, "ms"),
    "first key answered": Bar(1.0, "ms"),
    "start, bytes": Bar(0.3, "B"),
    "start, CPU": Bar(1.8, "ms"),
    "memory at first paint (RSS)": Bar(None, "MB"),
    "memory, loaded (PSS)": Bar(None, "MB"),
    "memory, loaded (RSS)": Bar(1.75, "MB"),
    "idle, bytes in 5 s": Bar(0.0, "B"),
    "idle, CPU in 5 s": Bar(None, "ms"),
    "tab switch, first visit": Bar(0.4, "ms"),
    "tab switch": Bar(0.4, "ms"),
    "tab switch, bytes": Bar(None, "B"),
    "tab switch, CPU": Bar(None, "ms"),
    "Tab": Bar(0.4, "ms"),
    "Tab, bytes": Bar(0.2, "B"),
    "Tab, CPU": Bar(None, "ms"),
    "modal": Bar(0.7, "ms"),
    "modal, bytes": Bar(0.3, "B"),
    "modal, CPU": Bar(None, "ms"),
    "letter": Bar(1.1, "ms"),
    "letter, bytes": Bar(None, "B"),
    "letter, CPU": Bar(None, "ms"),
    "Esc closes the modal": Bar(0.6, "ms"),
    "exit": Bar(0.15, "ms"),
}
"""The figures, in order. The bars are ratios to the light floor; None is for information. README.md says more."""


class Run:
    """One process of a program, and what its acts cost."""

    def __init__(self, command: Sequence[str], scenario: Scenario, configuration: Path) -> None:
        self.scenario = scenario
        environment = {"XDG_CONFIG_HOME": str(configuration), "XDG_DATA_HOME": str(configuration)}
        self.terminal = PtyTerminal(command, env=environment, cwd=ROOT)

    def start(self) -> Figures:
        """From the start of the process to the first paint, and to the answer to a key pressed at that moment."""
        terminal, scenario = self.terminal, self.scenario
        terminal.wait_for(lambda terminal: scenario.painted in plain_text(terminal.raw))
        painted = perf_counter() - terminal.started
        memory = memory_mb(terminal.pid, "Rss")
        terminal.press(scenario.next_tab)
        for _ in range(60):
            terminal.settle(REST)
            if (answered := terminal.drawn_at(scenario.answered)) != float("inf"):
                break
            # The key was lost; a person presses it again.
            terminal.press(scenario.next_tab)
        else:
            sys.exit(f"{scenario.answered!r} did not come of {scenario.next_tab}:\n{terminal.screen_text()}")
        return {
            "first paint": [painted * 1e3],
            "first key answered": [(answered - terminal.started) * 1e3],
            "memory at first paint (RSS)": [memory],
        }

    def session(self, idle: float) -> Figures:
        """Everything a person does between start and exit."""
        terminal, scenario = self.terminal, self.scenario
        figures: Figures = defaultdict(list)
        terminal.wait_for(scenario.settled)
        terminal.settle(REST, timeout=60)
        figures["start, bytes"].append(len(terminal.raw))
        figures["start, CPU"].append(cpu_ms(terminal.pid))
        for kind in ("Pss", "Rss"):
            figures[f"memory, loaded ({kind.upper()})"].append(memory_mb(terminal.pid, kind))
        cpu = cpu_ms(terminal.pid)
        # A silence longer than the wait: all of the time is waited out, whatever arrives.
        figures["idle, bytes in 5 s"].append(terminal.settle(idle, timeout=idle).size)
        figures["idle, CPU in 5 s"].append(cpu_ms(terminal.pid) - cpu)
        for lap in range(2):
            for _ in range(TAB_COUNT):
                self.act("tab switch" if lap else "tab switch, first visit", figures, scenario.next_tab)
        for _ in range(8):
            self.act("Tab", figures, "tab")
        for _ in range(3):
            self.act("modal", figures, scenario.modal)
            terminal.wait_for(scenario.modal_shown)
            for _ in range(3):
                self.act("letter", figures, "x")
                self.act("letter", figures, "backspace")
            self.act("Esc closes the modal", figures, scenario.close)
            terminal.wait_for(lambda terminal: scenario.modal_shown not in terminal.screen_text())
        pressed = perf_counter()
        terminal.press(scenario.leave)
        terminal.exit_code()
        figures["exit"].append((perf_counter() - pressed) * 1e3)
        if terminal.left_on:
            sys.exit(f"{scenario}: left on after the exit: {', '.join(terminal.left_on)}")
        return figures

    def act(self, name: str, figures: Figures, key: str) -> Burst:
        """Press a key and take its cost: time to the last byte, bytes, and the process's CPU."""
        cpu = cpu_ms(self.terminal.pid)
        pressed = perf_counter()
        self.terminal.press(key)
        burst = self.terminal.settle(QUIET, since=pressed)
        figures[name].append(burst.last * 1e3)
        figures[f"{name}, bytes"].append(burst.size)
        figures[f"{name}, CPU"].append(cpu_ms(self.terminal.pid) - cpu)
        return burst


def plain_text(raw: bytes | bytearray) -> str:
    """Output without its escape sequences, in the order it was written."""
    return _SEQUENCES.sub(b"", raw).decode(errors="replace")


def cpu_ms(pid: int) -> float:
    """CPU time of a process and its threads so far, in ms (Linux: nanoseconds of `schedstat`)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def memory_mb(pid: int, kind: str) -> float:
    """Resident memory in MB: "Rss", or "Pss" with shared pages divided by who shares them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) / 1024


def measure(command: Sequence[str], scenario: Scenario, idle: float | None) -> Figures:
    """A session of a program with so many seconds of idleness, or without any just a start."""
    with tempfile.TemporaryDirectory() as configuration:
        run = Run(command, scenario, Path(configuration))
        with run.terminal:
            return run.start() if idle is None else run.session(idle)


def verdict(bar: Bar, floor: float, console: float) -> str:
    """The result of a figure against its bar: a time may be near it, bytes and memory may not."""
    if bar.ratio is None:
        return ""
    limit = bar.ratio * floor
    if console <= limit:
        return "ok"
    return "near" if bar.unit == "ms" and console <= TOLERANCE * limit else "MISSED"


def report(bases: Mapping[str, Figures], console: Figures) -> bool:
    """Print the table, with a ratio to each of `bases`; the bars are for the first. True if no bar was missed."""
    heads = "".join(f"{name:>10}" for name in bases)
    ratios = "".join(f"{f'to {name}':>10}" for name in bases)
    print(f"{'':28}{heads}{'console':>10}  {'unit':5}{ratios}{'of mins':>9}{'bar':>7}")
    met = True
    first = next(iter(bases.values()))
    for name, bar in BARS.items():
        after = median(console[name])
        before = [median(figures[name]) for figures in bases.values()]
        quotients = "".join(f"{f'{after / each:.2f}' if each else '-':>10}" for each in before)
        least = f"{min(console[name]) / min(first[name]):.2f}" if min(first[name]) else "-"
        limit = "" if bar.ratio is None else f"{bar.ratio:g}" if bar.ratio else "0 B"
        said = verdict(bar, before[0], after)
        met = met and said != "MISSED"
        columns = "".join(f"{each:10.1f}" for each in before)
        print(f"{name:28}{columns}{after:10.1f}  {bar.unit:5}{quotients}{least:>9}{limit:>7}  {said}")
    return met


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 if `--check` is given and a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.console", description=__doc__)
    console_command = shlex.join([str(Path(sys.executable).with_name("gatekey")), "--demo"])
    parser.add_argument("--command", default=console_command, help="the program to compare with the floor")
    parser.add_argument("--scenario", choices=SCENARIOS, default="gatekey", help="how that program is driven")
    parser.add_argument("--against", help="an earlier build of the console, to compare with it in place of the floor")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, interleaved")
    parser.add_argument("--idle", type=float, default=5.0, help="seconds of idleness to watch")
    parser.add_argument("--check", action="store_true", help="end with status 1 if a bar was missed")
    parsed = parser.parse_args(arguments)
    scenario = SCENARIOS[parsed.scenario]
    bases = {"light": (FLOOR_COMMAND, SCENARIOS["floor"]), "heavy": (HEAVY_COMMAND, SCENARIOS["floor"])}
    if parsed.against is not None:
        bases = {"before": (tuple(shlex.split(parsed.against)), scenario)}
    measured: dict[str, Figures] = {name: defaultdict(list) for name in (*bases, "console")}
    programs = bases | {"console": (tuple(shlex.split(parsed.command)), scenario)}
    for number in range(1, parsed.rounds + 1):
        print(f"round {number} of {parsed.rounds}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        for idle in (*[None] * STARTS, parsed.idle):
            for program, (command, driven) in programs.items():
                for name, values in measure(command, driven, idle).items():
                    measured[program][name] += values
    console = measured.pop("console")
    met = report(measured, console)
    return 1 if parsed.check and not met else 0


if __name__ == "__main__":
    sys.exit(main())
