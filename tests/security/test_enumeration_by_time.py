"""The time of a refusal tells nobody which names have an account: measured in fresh processes, at the real cost."""

import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import update

from store.hashing import Cost, Hasher
from store.models import Account
from store.store import open_store
from tests.harness.stores import PASSWORD, START, StillClock, add_account, make_ring, sqlite_url

ROUNDS = 40
MOST_APART = 0.05
"""Of the median, by which a known and an unknown name may differ."""
KNOWN, UNKNOWN = "alice", "nobody"
ONE_REFUSAL = """
import sys, time
from store.errors import WrongCredentials
from store.store import open_store
from tests.harness.stores import make_ring
with open_store(sys.argv[1], make_ring()) as store:
    began = time.perf_counter()
    try:
        store.sign_in.with_password(sys.argv[2], "wrong", source="pts/0")
    except WrongCredentials:
        print(time.perf_counter() - began)
"""


@pytest.mark.long
def test_known_and_unknown_names_take_as_long_in_a_fresh_process(tmp_path: Path) -> None:
    template = Path(sqlite_url(tmp_path).removeprefix("sqlite:///"))
    names = {KNOWN: None, "older": Cost(65536, 2, 4), "much-older": Cost(19456, 2, 1), "without": None}
    with open_store(f"sqlite:///{template}", make_ring(), clock=StillClock(START)) as store:
        for name, cost in names.items():
            add_account(store, name)
            if cost is not None:
                old = Hasher(cost).hash_password(PASSWORD)
                with store.database.write() as tx:
                    tx.execute(update(Account).where(Account.c.name == name).values(password_hash=old))
        with store.database.write() as tx:
            tx.execute(update(Account).where(Account.c.name == "without").values(password_hash=None))
        store.database.checkpoint()

    taken: dict[str, list[float]] = {name: [] for name in (*names, UNKNOWN)}
    order = list(taken)
    for number in range(ROUNDS):
        # Whatever else the machine does meanwhile slows neighbours alike, and none is always the first.
        for name in order[number % len(order) :] + order[: number % len(order)]:
            taken[name].append(_refusal(template, tmp_path, name))
    medians = {name: median(times) for name, times in taken.items()}
    apart = {name: (took - medians[UNKNOWN]) / medians[UNKNOWN] for name, took in medians.items()}
    for name, took in medians.items():
        print(f"{name:<12} {took * 1000:7.1f} ms  {apart[name]:+.1%} of an unknown name")
    assert abs(apart[KNOWN]) <= MOST_APART, medians


def _refusal(template: Path, folder: Path, name: str) -> float:
    # A copy for each: nothing that an earlier try left behind takes part.
    copy = folder / "private" / "copy.sqlite3"
    for leftover in folder.glob("private/copy.sqlite3*"):
        leftover.unlink()
    shutil.copyfile(template, copy)
    copy.chmod(0o600)
    ran = subprocess.run(
        (sys.executable, "-c", ONE_REFUSAL, f"sqlite:///{copy}", name),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return float(ran.stdout)
