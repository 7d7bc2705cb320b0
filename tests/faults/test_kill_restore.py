"""`kill -9` while a backup is restored: the database is the old one or the new one, and never half of either, and the
next restore removes what was left."""

import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from store import backup
from store.database import Database
from store.models import Account
from store.restore import restore
from store.restore_folder import PREFIX
from tests.faults.kill_report import KillReport, file_of, is_corrupt
from tests.faults.killed_process import KillPoint, TargetProcess, run_until_killed, sweep
from tests.harness.stores import START, StillClock, add_account, make_ring, make_store


def put_back(target: TargetProcess, path: Path) -> None:
    tempfile.tempdir = str(path.parent)  # where a restore into PostgreSQL works
    target.arm()
    restore(
        path, target.url, make_ring(), replace=True, actor="test", clock=StillClock(target.time), ready=lambda: None
    )
    target.say("restored")


def names(url: str) -> list[str]:
    with closing(Database(url)) as database, database.read() as tx:
        return list(tx.execute(select(Account.c.name).order_by(Account.c.id)).scalars())


def test_a_restore(url: str, database_kind: str, tmp_path: Path, kill_count: int) -> None:
    report = KillReport("restore", database_kind)
    new, old, saved = ["alice", "bob"], ["alice", "bob", "carol"], tmp_path / "backup"
    with make_store(url) as store:
        for name in new:
            add_account(store, name)
        saved.touch(0o600)
        backup.write(store.context, saved, with_key=False)
        add_account(store, "carol")
    for number, kill_point in enumerate(sweep(put_back, url, START, kill_count, saved)):
        with make_store(url, seed=number + 2) as store:
            if names(url) == new:
                add_account(store, "carol")
        said, was_killed = run_until_killed(put_back, url, START + timedelta(seconds=number + 1), kill_point, saved)
        damaged, found = is_corrupt(url), names(url)
        with make_store(url) as store, store.database.read() as tx:  # it opens, and its log is whole
            is_intact = store.audit.verify_all(tx).is_intact
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged or not is_intact,
            is_half_done=found not in (new, old),
            is_lost="restored" in said and found != new,
        )
    path = file_of(url)
    if path is not None:
        print(f"left beside the database: {len(list(path.parent.iterdir()))} files")
    _, was_killed = run_until_killed(
        put_back, url, START + timedelta(seconds=kill_count + 1), KillPoint("never"), saved
    )
    assert not was_killed
    left = [folder for place in {tmp_path, *([path.parent] if path else [])} for folder in place.glob(f"{PREFIX}*")]
    assert left == []
    report.check()
