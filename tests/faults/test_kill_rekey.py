"""`kill -9` while everything passes to a new key: nothing is ever unreadable, and the next run finishes it."""

from datetime import timedelta
from pathlib import Path

from store import key_file
from store.key_file import FileRing, load_key_file
from store.rekey import rekey
from store.sealed_columns import sealed_columns
from store.store import Store
from tests.faults.kill_report import KillReport, is_corrupt
from tests.faults.killed_process import TargetProcess, run_until_killed, sweep
from tests.faults.populated_store import enable_everything, populate_account
from tests.harness.stores import START, StillClock, make_ring, make_store


def renew(target: TargetProcess, key: Path) -> None:
    clock = StillClock(target.time)
    with make_store(target.url, clock=clock, ring=FileRing(key), seed=int(target.time.timestamp())) as store:
        target.arm()
        rekey(store, key, actor="test", wait=lambda _: None, say=lambda _: None)
        target.say("renewed")


def unreadable(store: Store) -> int:
    """The number of sealed values that do not open."""
    from store.errors import KeyWrong

    count = 0
    with store.database.read() as tx:
        for column in sealed_columns():
            for _, sealed, bound_to in column.values(tx):
                try:
                    store.context.ring.open(sealed, column.associated_data(bound_to))
                except KeyWrong:
                    count += 1
    return count


def test_a_rekey(url: str, database_kind: str, tmp_path: Path, kill_count: int) -> None:
    report = KillReport("rekey", database_kind)
    key, clock = tmp_path / "keys" / "key", StillClock()
    key_file.write_key_file(key, make_ring())
    with make_store(url, clock=clock, ring=FileRing(key)) as store:
        enable_everything(store)
        populate_account(store, clock)
    half = 0
    for number, kill_point in enumerate(sweep(renew, url, START, kill_count, key)):
        said, was_killed = run_until_killed(renew, url, START + timedelta(days=1, seconds=number), kill_point, key)
        damaged = is_corrupt(url)
        keys = load_key_file(key).keys
        half += len(keys) > 1
        with make_store(url, clock=clock, ring=FileRing(key), seed=number) as store:
            lost = unreadable(store)
            with store.database.read() as tx:
                is_intact = store.audit.verify_all(tx).is_intact
            # As a rekey that begins with one key is what is looked at, half of one is finished in between.
            if number % 2:
                rekey(store, key, actor="test", wait=lambda _: None, say=lambda _: None)
                assert len(load_key_file(key).keys) == 1
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged or not is_intact,
            is_half_done=bool(said) and len(keys) != 1 and "renewed" in said,
            is_lost=lost > 0,
        )
    print(f"killed with both keys in the file: {half} of {kill_count}")
    report.check()
