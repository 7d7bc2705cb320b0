"""Opens each module on an account with many calls and on one with few, in real terminals, turn by turn.

python -m tests.benchmarks.modules                      # a million calls beside a thousand
python -m tests.benchmarks.modules --rows 10000000      # ten million: minutes to fill, and 6 GB of disk

Then the statements of the ledger and the dashboard are timed on both.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from store.clock import SystemClock
from store.store import Store, open_store
from store.values.usage import EVERYTHING
from tests.benchmarks.account_rows import KEYS, fill_account
from tests.benchmarks.console import cpu_ms
from tests.benchmarks.sides import Comparison, compare
from tests.e2e.installed import Home, Installed
from tests.harness.served_gateway import write_key_file
from tests.harness.stores import PASSWORD, add_account, cheap_hasher, make_ring, sign_in

BAR: Final = 1.5
"""The most that opening a module on the large account may take, as a multiple of the small one."""
FEW: Final = 1_000
MANY: Final = 1_000_000
MODULES: Final = ("playground", "overview", "api-keys", "usage-logs", "drawing-logs", "task-logs", "wallet")
"""In the order of the sidebar."""
QUIET: Final = 0.4
"""Seconds without output after which a page is painted."""
SIZE: Final = (120, 40)
"""The sidebar is always visible at it."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person's folder with a filled database, and the store on it."""

    home: Home
    store: Store
    token: str


def prepare(folder: Path, rows: int) -> Account:
    """An account with `rows` calls. The store stays open."""
    home = Home(folder)
    ring, url = make_ring(), f"sqlite:///{home.database}"
    write_key_file(home.config, ring).rename(home.config / "key")
    store = open_store(url, ring, clock=SystemClock(), hasher=cheap_hasher())
    add_account(store, "alice")
    token = sign_in(store)
    for number in range(KEYS):
        store.api_keys.create(token, f"key-{number}")
    fill_account(home.database, rows, datetime.now(UTC))
    return Account(home, store, token)


@dataclass(frozen=True, slots=True)
class Opening:
    """The cost of opening a module, in milliseconds."""

    wall: float
    """From Enter to the last byte."""
    cpu: float
    """CPU time of all threads of the console. Other work on the machine moves it less."""


Openings = dict[str, tuple[list[Opening], list[Opening]]]
"""By module: those of the small account, and of the large one."""


def open_modules(account: Account) -> dict[str, Opening]:
    """Each module at its first opening in a new console."""
    columns, lines = SIZE
    with account.home.console(columns=columns, lines=lines) as terminal:
        terminal.enter("Username", "alice")
        terminal.enter("Password", PASSWORD, masked=True)
        terminal.until("permanent")
        return {module: open_module(terminal, place) for place, module in enumerate(MODULES)}


def open_module(terminal: Installed, place: int) -> Opening:
    """Open the module at `place` of the sidebar, and wait until it is painted."""
    terminal.press("f2", "home", *["down"] * place)
    terminal.settle(QUIET)
    cpu, pressed = cpu_ms(terminal.pid), perf_counter()
    terminal.press("enter")
    burst = terminal.settle(QUIET, since=pressed)
    return Opening(burst.last * 1e3, cpu_ms(terminal.pid) - cpu)


def compare_openings(few: Account, many: Account, turns: int) -> Openings:
    """Each module on both accounts, in turn."""
    taken: Openings = defaultdict(lambda: ([], []))
    for turn in range(turns):
        for side in (0, 1) if turn % 2 else (1, 0):
            for module, opening in open_modules((few, many)[side]).items():
                taken[module][side].append(opening)
    return taken


def statements(account: Account) -> dict[str, Callable[[], object]]:
    """The queries of the pages, by what they read."""
    store, token = account.store, account.token
    last = store.ledger.page(token).entries[0].sequence
    return {
        "dashboard, 7 days": partial(store.dashboards.read, token, 7),
        "dashboard, 30 days": partial(store.dashboards.read, token, 30),
        "dashboard, 90 days": partial(store.dashboards.read, token, 90),
        "ledger, newest page": partial(store.ledger.page, token),
        "ledger, middle page": partial(store.ledger.page, token, before=last // 2),
        "ledger, oldest page": partial(store.ledger.newer_page, token),
        "usage log, newest page": partial(store.usage.page, token, EVERYTHING),
        "usage log, values offered": partial(store.usage.choices, token),
        "daily usage": partial(store.usage.days, token, 30),
        "API keys": partial(store.api_keys.list, token),
        "client addresses, counted": partial(store.usage.count_ips, token),
    }


def compare_statements(few: Account, many: Account, turns: int) -> list[Comparison]:
    ours, theirs = statements(many), statements(few)
    return [compare(name, act, theirs[name], bar=BAR, turns=turns) for name, act in ours.items()]


def is_met(few: Sequence[Opening], many: Sequence[Opening]) -> bool:
    """True if the large account opens the module within the bar, by the medians."""
    return median(each.wall for each in many) <= BAR * median(each.wall for each in few)


def openings_table(taken: Openings, rows: int) -> list[str]:
    heads = f"{'ratio':>8}{'of mins':>9}{'CPU':>10}{'CPU':>9}{'ratio':>8}"
    lines = [f"{'first opening of a module, ms':32}{f'{FEW:,}':>12}{f'{rows:,}':>14}{heads}"]
    for module, sides in taken.items():
        few, many = (median(each.wall for each in side) for side in sides)
        least = min(each.wall for each in sides[1]) / min(each.wall for each in sides[0])
        cpu, more_cpu = (median(each.cpu for each in side) for side in sides)
        figures = f"{few:>12.1f}{many:>14.1f}{many / few:>8.2f}{least:>9.2f}"
        figures += f"{cpu:>10.1f}{more_cpu:>9.1f}{more_cpu / cpu:>8.2f}"
        lines.append(f"{module:32}{figures}{'' if is_met(*sides) else '  missed'}")
    return lines


def statements_table(found: Sequence[Comparison], rows: int) -> list[str]:
    lines = [f"{'median of a statement, ms':32}{f'{FEW:,}':>12}{f'{rows:,}':>14}{'ratio':>8}"]
    return lines + [
        f"{each.what:32}{each.theirs.p50 * 1e3:>12.2f}{each.ours.p50 * 1e3:>14.2f}{each.ratio:>8.2f}" for each in found
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables; 1 if a module missed the bar."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.modules", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=MANY, help="calls of the large account (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=5, help="consoles of each, in turn (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where to build the databases; removed afterwards")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gatekey-modules-", dir=options.folder) as name, ExitStack() as stores:
        accounts = []
        for rows in (FEW, options.rows):
            start = perf_counter()
            accounts.append(prepare(Path(name) / str(rows), rows))
            stores.callback(accounts[-1].store.close)
            print(f"{rows:,} calls written in {perf_counter() - start:.0f} s", file=sys.stderr)
        few, many = accounts
        print("\n".join(statements_table(compare_statements(few, many, 10 * options.turns), options.rows)), flush=True)
        taken = compare_openings(few, many, options.turns)
        print("\n".join(openings_table(taken, options.rows)))
    return int(not all(is_met(*sides) for sides in taken.values()))


if __name__ == "__main__":
    sys.exit(main())
