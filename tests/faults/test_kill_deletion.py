"""`kill -9` while an account is deleted: it is there in every table, or in none."""

from dataclasses import dataclass

from sqlalchemy import func, select

from store.models import Account, Tombstone
from tests.faults.kill_report import KillReport, at, is_corrupt
from tests.faults.killed_process import TargetProcess, run_until_killed, sweep
from tests.faults.populated_store import PopulatedAccount, census, enable_everything, populate_account
from tests.harness.stores import StillClock, make_store


@dataclass(frozen=True)
class Doomed:
    """An account about to be deleted, and how many rows it has where."""

    clock: StillClock
    lives: PopulatedAccount
    rows: dict[str, int]


def delete(target: TargetProcess, token: str, name: str) -> None:
    store, _ = target.open()
    store.deletion.delete(token, name)
    target.say("deleted")


def prepare(url: str, number: int) -> Doomed:
    clock = at(number)
    with make_store(url, clock=clock, seed=number) as store:
        lives = populate_account(store, clock, f"user{number}")
        with store.database.read() as tx:
            return Doomed(clock, lives, census(tx, lives.account_id))


def test_deleting_an_account(url: str, database_kind: str, kill_count: int) -> None:
    report = KillReport("delete", database_kind)
    with make_store(url) as store:
        enable_everything(store)
    first = prepare(url, 1)
    empty = [table for table, rows in first.rows.items() if rows == 0]
    assert not empty, f"the account has nothing in {empty}"
    planned = sweep(delete, url, first.clock.time, kill_count, first.lives.token, first.lives.name)
    for number, kill_point in enumerate(planned, 2):
        doomed = prepare(url, number)
        said, was_killed = run_until_killed(
            delete, url, doomed.clock.time, kill_point, doomed.lives.token, doomed.lives.name
        )
        damaged = is_corrupt(url)
        with make_store(url, clock=doomed.clock) as store, store.database.read() as tx:
            left = census(tx, doomed.lives.account_id)
            tombs = tx.execute(select(func.count()).select_from(Tombstone)).scalar_one()
            living = tx.execute(select(func.count()).select_from(Account)).scalar_one()
        is_gone = not any(left.values())
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged,
            is_half_done=not (is_gone or left == doomed.rows) or tombs + living != number,
            is_lost=bool(said) and not is_gone,
        )
    report.check()
