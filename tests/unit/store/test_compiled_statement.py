"""Statements that the driver runs on SQLite do what SQLAlchemy does with them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import MultipleResultsFound, StatementError

from store.compiled_statement import CompiledStatement
from store.errors import DatabaseDamaged, DatabaseRefused
from store.models import Account, ApiKey, PrivacySettingsRow, Reservation
from store.store import Store
from tests.harness.people import Person
from tests.harness.stores import add_account, make_store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPEN = CompiledStatement(
    insert(Reservation), columns=("id", "account_id", "api_key_id", "held_micro_usd", "created_at", "settled_at")
)
FIND = CompiledStatement(select(Reservation).where(Reservation.c.id == bindparam("reservation")))
SETTLE = CompiledStatement(
    update(Reservation)
    .where(Reservation.c.held_micro_usd >= bindparam("least"))
    .values(settled_at=bindparam("now"), held_micro_usd=Reservation.c.held_micro_usd + 1)
    .returning(Reservation.c.id, (Reservation.c.held_micro_usd > 8).label("is_large"))
)


def row(person: Person, number: int, **other: Any) -> dict[str, Any]:
    """The columns of a reservation."""
    return {
        "id": number,
        "account_id": person.id,
        "api_key_id": None,
        "held_micro_usd": 7,
        "created_at": NOON,
        "settled_at": None,
        **other,
    }


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_values_go_through_the_types_of_their_columns(store: Store, alice: Person, zone: timezone) -> None:
    with store.database.write() as tx:
        OPEN.change(tx, row(alice, 1, created_at=NOON.astimezone(zone)))
        found = FIND.row(tx, {"reservation": 1})
        by_sqlalchemy = tx.execute(select(Reservation)).one()
        assert {name: getattr(found, name) for name in by_sqlalchemy._fields} == by_sqlalchemy._asdict()
        assert (found.created_at, found.settled_at) == (NOON, None)
        assert FIND.row(tx, {"reservation": 2}) is None


def test_each_changes_a_row(store: Store, alice: Person) -> None:
    with store.database.write() as tx:
        OPEN.change_each(tx, [row(alice, number, held_micro_usd=number) for number in (5, 8)])
        assert SETTLE.row(tx, {"least": 9, "now": NOON}) is None
        settled = SETTLE.row(tx, {"least": 8, "now": NOON})
        assert (settled.id, settled.is_large) == (8, True)
        assert FIND.row(tx, {"reservation": 8}).settled_at == NOON
        assert FIND.row(tx, {"reservation": 5}).settled_at is None


def test_a_boolean_and_a_document_are_read_as_such(store: Store, alice: Person) -> None:
    store.api_keys.create(alice.token, "laptop")
    keys = CompiledStatement(
        select(ApiKey.c.allowed_models, PrivacySettingsRow.c.record_client_ip).join(
            PrivacySettingsRow, PrivacySettingsRow.c.account_id == ApiKey.c.account_id
        )
    )
    with store.database.write() as tx:
        tx.execute(update(ApiKey).values(allowed_models=["gpt-5"]))
        found = keys.row(tx, {})
    assert (found.allowed_models, found.record_client_ip) == (["gpt-5"], False)


def test_a_statement_for_one_row_refuses_two(store: Store, alice: Person, bob: Person) -> None:
    accounts = CompiledStatement(select(Account.c.id))
    with store.database.read() as tx, pytest.raises((ValueError, MultipleResultsFound)):
        accounts.row(tx, {})


def test_what_the_driver_refuses_is_an_error_of_the_store(store: Store, alice: Person) -> None:
    for wrong in (row(alice, 1, account_id=alice.id + 1000), row(alice, 2**70), row(alice, 1, held_micro_usd=None)):
        with pytest.raises(DatabaseRefused), store.database.write() as tx:
            OPEN.change(tx, wrong)
    with pytest.raises((ValueError, StatementError), match="without a zone"), store.database.write() as tx:
        OPEN.change(tx, row(alice, 1, created_at=NOON.replace(tzinfo=None)))
    with store.database.read() as tx:
        assert tx.execute(select(Reservation)).all() == []


def test_a_damaged_time_is_told() -> None:
    with make_store() as store:
        info = add_account(store)
        with store.database.write() as tx:
            OPEN.change(tx, row(Person(info.id, info.name, ""), 1))
            tx.execute(text("UPDATE reservations SET created_at = 'yesterday'"))
        with pytest.raises(DatabaseDamaged), store.database.read() as tx:
            FIND.row(tx, {"reservation": 1})
