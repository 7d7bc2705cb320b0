"""The look at whether the data can be written: it leaves one row or none, and says why it cannot."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from sqlalchemy import func, select

from store import health
from store.database import Database
from store.errors import DatabaseBusy, DatabaseFull, DatabaseUnreachable
from store.health import MIN_FREE_BYTES, check_writable
from store.models import RateWindow
from store.store import Store
from tests.harness.people import contents
from tests.harness.stores import make_store

Usage = namedtuple("Usage", "total used free")


def rows(store: Store) -> int:
    with store.database.read() as tx:
        return tx.execute(select(func.count()).select_from(RateWindow)).scalar_one()


def test_it_leaves_one_row_however_often(store: Store) -> None:
    before = contents(store)
    for _ in range(3):
        check_writable(store.database)
        assert rows(store) == 1
    assert {name for name, found in contents(store).items() if found != before[name]} == {"rate_windows"}


def test_what_is_not_kept_leaves_nothing(store: Store) -> None:
    before = contents(store)
    check_writable(store.database, is_kept=False)
    assert contents(store) == before
    check_writable(store.database)
    with_row = contents(store)
    check_writable(store.database, is_kept=False)
    assert contents(store) == with_row


def test_a_disk_that_is_nearly_full_is_told_before_a_write_fails(
    file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = MIN_FREE_BYTES
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**12, 10**12 - free, free))
    with make_store(file_url) as store:
        check_writable(store.database)
        free = 3 * 1024 * 1024
        with pytest.raises(DatabaseFull, match=r"^Only 3 MiB are free where the database lies\."):
            check_writable(store.database)


def test_the_disk_of_another_machine_is_not_asked(postgres_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, 0))
    check_writable(postgres_store.database)


def test_a_folder_that_is_gone_is_a_database_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable):
        check_writable(Database(f"sqlite:///{tmp_path}/gone/gatekey.sqlite3"))


@pytest.mark.parametrize("is_kept", [True, False])
def test_another_writer_is_not_waited_for_without_end(
    file_url: str, monkeypatch: pytest.MonkeyPatch, is_kept: bool
) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.0)
    with make_store(file_url) as store:
        other = Database(file_url)
        with other.write(), pytest.raises(DatabaseBusy):
            check_writable(store.database, is_kept=is_kept)
        check_writable(store.database, is_kept=is_kept)
        other.close()
