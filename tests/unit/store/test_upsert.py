"""INSERT or UPDATE as one statement: it says whether the row has the values now."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from store.models import SiteSetting, Throttle
from store.row_locks import lock_administrators, lock_against_deletion, lock_for_update
from store.store import Store
from store.upsert import upsert
from tests.harness.people import Person, statements
from tests.harness.stores import START


def failures(store: Store) -> int | None:
    with store.database.read() as tx:
        return tx.execute(select(Throttle.c.failures)).scalar()


def test_a_row_is_made_then_changed_then_left(store: Store) -> None:
    for expected, done in ((1, True), (2, True), (3, True), (3, False), (3, False)):
        with store.database.write() as tx:
            told = upsert(
                tx,
                Throttle,
                {"bucket": "b"},
                {"failures": (1, Throttle.c.failures + 1), "locked_until": None, "updated_at": START},
                only_if=Throttle.c.failures < 3,
            )
        assert (told, failures(store)) == (done, expected)


def test_a_plain_value_is_used_both_times(store: Store) -> None:
    for minutes in (1, 2):
        with store.database.write() as tx:
            row = {"value": str(minutes), "value_sealed": None, "updated_at": START + timedelta(minutes=minutes)}
            assert upsert(tx, SiteSetting, {"name": "x"}, row)
    with store.database.read() as tx:
        assert tx.execute(select(SiteSetting.c.value, func.count().over())).all() == [("2", 1)]


@pytest.mark.parametrize("lock", [lock_for_update, lock_against_deletion])
def test_a_row_lock_is_asked_of_postgresql_alone(store: Store, alice: Person, lock: object) -> None:
    with statements(store) as seen, store.database.write() as tx:
        for account in (alice.id, select(Throttle.c.failures)):
            lock(tx, account)  # type: ignore[operator]  # both take a transaction and an account
        lock_administrators(tx)
    asked = [statement for statement in seen if "FOR " in statement or "advisory" in statement]
    assert len(asked) == (3 if store.database.is_postgresql else 0)
