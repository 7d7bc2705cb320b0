"""Deleting an account: all of it at once, off the disk too, and never the last who can administer."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, func, select

from store import models, sqlite_engine
from store.accounts import Role
from store.errors import (
    GatekeyError,
    InvalidApiKey,
    InvalidToken,
    LastAdministrator,
    NoSuchAccount,
    RootAccount,
    SessionEnded,
    TooManyAttempts,
    UsernameDoesNotMatch,
    WrongCredentials,
)
from store.export_columns import EXPORTED, WITHOUT_CONTENT
from store.models import METADATA
from store.store import Store
from tests.harness.fixtures import in_memory
from tests.harness.full_account import live, prepare_site
from tests.harness.people import Person, contents, fail_between, prove
from tests.harness.stores import SOURCE, StillClock, add_account, make_store, sign_in

WITHOUT_PERSON = {
    "meta",
    "providers",
    "prices",
    "site_settings",
    "throttles",
    "rate_windows",
    "tombstones",
    "audit_totals",
    "site_events",
    "redeem_codes",
}
"""Tables that hold nothing of one account: what is the site's, keyed hashes of names and sources, and codes that forget
who redeemed them."""


def forgotten(metadata: MetaData) -> set[str]:
    """Tables with a person in them that neither the export nor its list of exceptions knows."""
    known = {table.name for table in (*EXPORTED, *WITHOUT_CONTENT)}
    return {table.name for table in metadata.sorted_tables} - known - WITHOUT_PERSON


def unreached(metadata: MetaData) -> set[str]:
    """Tables with an `account_id` that a deleted account would not take along."""
    return {
        table.name
        for table in metadata.sorted_tables
        if "account_id" in table.c
        and not any(
            key.column.table.name == "accounts" and key.ondelete == "CASCADE" for key in table.c.account_id.foreign_keys
        )
    }


def test_no_table_is_forgotten() -> None:
    assert forgotten(METADATA) == unreached(METADATA) == set()
    assert not {table.name for table in EXPORTED} & {table.name for table in WITHOUT_CONTENT}


def test_a_new_table_would_be_noticed() -> None:
    metadata = MetaData()
    for table in METADATA.sorted_tables:
        table.to_metadata(metadata)
    Table("secret_notes", metadata, Column("account_id", Integer, ForeignKey("accounts.id")))
    assert forgotten(metadata) == unreached(metadata) == {"secret_notes"}


def test_every_table_is_offered_by_the_models() -> None:
    assert {table for table in vars(models).values() if isinstance(table, Table)} == set(METADATA.sorted_tables)


# -- all of it --------------------------------------------------------------------------------------------------


def rows_of(store: Store, account_id: int) -> dict[str, int]:
    """The number of rows of an account, by table."""
    counts = {}
    with store.database.read() as tx:
        for table in METADATA.sorted_tables:
            owner = table.c.id if table.name == "accounts" else table.c.get("account_id")
            if owner is not None:
                count = select(func.count()).select_from(table).where(owner == account_id)
                counts[table.name] = tx.execute(count).scalar_one()
    return counts


def test_nothing_is_left_in_any_table(store: Store, clock: StillClock) -> None:
    prepare_site(store)
    alice = live(store, clock, "alice").person
    before = rows_of(store, alice.id)
    add_account(store, "root", role=Role.ROOT)
    never = {name for name, count in before.items() if count == 0}
    assert never == {"two_factor_setups"}, "an account with something of everything"
    deleted = store.deletion.delete(alice.token, "alice")
    after = rows_of(store, alice.id)
    print(
        f"rows of a deleted account: {sum(before.values())} before, {sum(after.values())} after, in {len(after)} tables"
    )
    assert set(after.values()) == {0}
    assert deleted.is_off_disk is not store.database.is_postgresql
    assert contents(store)["tombstones"] == [(deleted.tombstone, clock.now())]


def test_a_pending_enrolment_goes_too(store: Store, alice: Person) -> None:
    store.two_factor.begin(alice.token)
    store.deletion.delete(alice.token, "alice")
    assert contents(store)["two_factor_setups"] == []


def test_nobody_gets_in_any_more(store: Store, alice: Person) -> None:
    token = store.access_token.generate(alice.token).token
    key = store.api_keys.create(alice.token, "laptop").key
    other = sign_in(store)
    store.deletion.delete(alice.token, "alice")
    for session in (alice.token, other):
        with pytest.raises(SessionEnded):
            store.sessions.whoami(session)
    with pytest.raises(InvalidToken):
        store.access_token.authenticate(token)
    with pytest.raises(InvalidApiKey):
        store.api_keys.authenticate(key)
    with pytest.raises(WrongCredentials):
        store.sign_in.with_password("alice", "correct horse battery staple", source=SOURCE)
    with pytest.raises(NoSuchAccount):
        store.accounts.find("alice")


def test_the_others_keep_everything(store: Store, clock: StillClock) -> None:
    prepare_site(store)
    bob = live(store, clock, "bobby", number=2).person
    before = rows_of(store, bob.id)
    alice = live(store, clock, "alice").person
    store.deletion.delete(alice.token, "alice")
    assert rows_of(store, bob.id) == before
    with store.database.read() as tx:
        assert store.audit.verify(tx, bob.id) is None


def test_the_name_is_free_again(store: Store, alice: Person) -> None:
    store.deletion.delete(alice.token, "alice")
    again = add_account(store)
    assert again.id != alice.id, "an id is bound into sealed values"


# -- off the disk -----------------------------------------------------------------------------------------------


def values_of(path: Path, account_id: int) -> set[bytes]:
    """Every text and blob of an account's rows, as SQLite holds it; JSON by its parts."""
    found: set[bytes] = set()
    with closing(sqlite3.connect(path)) as connection:
        for table in METADATA.sorted_tables:
            owner = "id" if table.name == "accounts" else "account_id"
            if owner in table.c:
                for row in connection.execute(f"SELECT * FROM {table.name} WHERE {owner} = ?", (account_id,)):  # noqa: S608
                    found.update(_texts(row))
    return found


def _texts(row: tuple[object, ...]) -> Iterator[bytes]:
    for value in row:
        if isinstance(value, bytes):
            yield value
        elif isinstance(value, str):
            yield from (part.encode() for part in value.strip("[]{}").split('"'))


def files_of(path: Path) -> dict[str, bytes]:
    return {
        suffix or "db": path.with_name(path.name + suffix).read_bytes()
        for suffix in ("", "-wal", "-shm")
        if path.with_name(path.name + suffix).exists()
    }


def test_not_a_byte_is_left_in_the_files(file_url: str, clock: StillClock) -> None:
    path = Path(file_url.removeprefix("sqlite:///"))
    with make_store(file_url, clock=clock) as store:
        prepare_site(store)
        bob = live(store, clock, "bobby", number=2).person
        planted = live(store, clock, "alexandra")
        alice = planted.person
        hers = values_of(path, alice.id) | {secret.encode() for secret in planted.secrets if "planted" not in secret}
        hers |= {part.encode() for part in ("alexandra", "203.0.113.1")}
        theirs = values_of(path, bob.id)
        looked_for = {value for value in hers - theirs if len(value) >= 6 and not _is_a_moment(value)}
        present = {value for value in looked_for if any(value in content for content in files_of(path).values())}
        deleted = store.deletion.delete(alice.token, "alexandra")
        for job in store.outbox.lease(100):
            store.outbox.delivered(job)
        store.database.checkpoint()
        while_open = _found(path, looked_for)
    after_close = _found(path, looked_for)
    print(f"values of the person in the files: {len(present)} before, {len(while_open)} after, of {len(looked_for)}")
    assert deleted.is_off_disk
    assert len(present) > 50
    assert while_open == after_close == []
    assert all(value in files_of(path)["db"] for value in (b"bobby-display", b"bobby@mail.example"))


def _is_a_moment(value: bytes) -> bool:
    return value[:4] == b"2026"


def _found(path: Path, values: set[bytes]) -> list[tuple[str, bytes]]:
    return [(name, value) for name, content in files_of(path).items() for value in values if value in content]


def test_a_reader_in_the_way_is_told_of(file_url: str, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = tuple(pragma.replace("=5000", "=50") for pragma in sqlite_engine.PRAGMAS)
    monkeypatch.setattr(sqlite_engine, "PRAGMAS", impatient)
    monkeypatch.setattr(sqlite_engine, "BUSY_TIMEOUT_MS", 50)
    with make_store(file_url, clock=clock) as store:
        add_account(store)
        token = sign_in(store)
        with store.database.read() as tx:
            tx.execute(select(func.count()).select_from(METADATA.tables["accounts"])).scalar_one()
            assert not store.deletion.delete(token, "alice").is_off_disk
        assert store.database.checkpoint()


# -- refused ----------------------------------------------------------------------------------------------------


@in_memory
@pytest.mark.parametrize(
    "typed", ["", "Alice", "ALICE", "alice ", " alice", "ａlice", "bob", "alice\x00", "\ud800"], ids=ascii
)
def test_the_name_must_be_typed_exactly(store: Store, alice: Person, typed: str) -> None:
    with pytest.raises(UsernameDoesNotMatch) as caught:
        store.deletion.delete(alice.token, typed)
    assert caught.value.field == "username"
    assert store.accounts.find("alice").id == alice.id


def test_a_name_typed_in_another_normal_form_is_the_name(store: Store) -> None:
    store.accounts.create("caf\u00e9", "correct horse battery staple", actor="test")
    store.deletion.delete(sign_in(store, "caf\u00e9"), "cafe\u0301")


def test_wrong_names_are_counted_like_wrong_passwords(store: Store, alice: Person) -> None:
    for _ in range(5):
        with pytest.raises(UsernameDoesNotMatch):
            store.deletion.delete(alice.token, "wrong")
    with pytest.raises(TooManyAttempts):
        store.deletion.delete(alice.token, "wrong")
    with pytest.raises(TooManyAttempts):
        prove(store, alice.token)


@pytest.mark.parametrize(("role", "error"), [(Role.ROOT, RootAccount), (Role.ADMIN, LastAdministrator)])
def test_who_administers_last_stays(store: Store, role: Role, error: type[GatekeyError]) -> None:
    add_account(store, "alice", role=role)
    add_account(store, "bob")
    token = sign_in(store)
    before = contents(store)
    with pytest.raises(error):
        store.deletion.refuse_if_protected(token)
    with pytest.raises(error):
        store.deletion.delete(token, "alice")
    assert contents(store) == before


def test_one_of_two_administrators_may_go(store: Store) -> None:
    for name in ("alice", "bob"):
        add_account(store, name, role=Role.ADMIN)
    alice, bob = sign_in(store), sign_in(store, "bob")
    store.deletion.refuse_if_protected(alice)
    store.deletion.delete(alice, "alice")
    with pytest.raises(LastAdministrator):
        store.deletion.delete(bob, "bob")


def test_root_stays_even_beside_another(store: Store) -> None:
    add_account(store, "alice", role=Role.ROOT)
    add_account(store, "bob", role=Role.ADMIN)
    with pytest.raises(RootAccount):
        store.deletion.delete(sign_in(store), "alice")


def test_a_deletion_happens_whole_or_not_at_all(store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(store)
    monkeypatch.setattr(type(store.throttles), "forget", fail_between)
    with pytest.raises(GatekeyError):
        store.deletion.delete(alice.token, "alice")
    assert contents(store) == before
