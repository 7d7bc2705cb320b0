"""The drawer: what was saved is there for an hour, for its account alone, and is fetched once."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from store import drawer, drawer_parts
from store.drawer import FETCH_LEASE, LIFETIME, MAX_DRAWER_BYTES, MAX_ITEMS
from store.drawer_parts import MAX_ITEM_BYTES, PART_BYTES
from store.errors import (
    DrawerFull,
    GatekeyError,
    InvalidInput,
    KeyWrong,
    NoSuchItem,
    SessionEnded,
    SessionLocked,
    SessionSuspended,
    TooLargeForDrawer,
)
from store.models import METADATA, DrawerItemRow, DrawerPart
from store.store import Store
from store.values.drawer import DrawerItem
from tests.harness.drawers import fetch
from tests.harness.fixtures import in_memory
from tests.harness.people import Person, assert_each_refused, contents, tags
from tests.harness.stores import StillClock, sign_in

ADMIN = "unix:root"


def names(store: Store, token: str) -> list[str]:
    return [item.name for item in store.drawer.list(token)]


def rows(store: Store) -> tuple[int, int]:
    """The items and the parts in the database."""
    with store.database.read() as tx:
        items = tx.execute(select(func.count()).select_from(DrawerItemRow)).scalar_one()
        return items, tx.execute(select(func.count()).select_from(DrawerPart)).scalar_one()


def test_an_item_is_put_listed_and_fetched_once(store: Store, alice: Person, clock: StillClock) -> None:
    put = store.drawer.put(alice.token, "export.json", ["{", "\N{WATCH}", "}"])
    assert put == DrawerItem(put.id, "export.json", 5, clock.now(), clock.now() + LIFETIME)
    assert store.drawer.list(alice.token) == (put,)
    assert fetch(store, alice.token, "export.json").decode() == "{\N{WATCH}}"
    assert store.drawer.list(alice.token) == ()
    with pytest.raises(NoSuchItem, match="it was fetched"):
        store.drawer.claim(alice.token, "export.json")
    assert rows(store) == (0, 0)
    assert tags(store, alice.id)[-2:] == ["drawer:put", "drawer:fetched"]
    with store.database.read() as tx:
        newest = store.audit.page(tx, alice.id)[0]
    assert (newest.actor, dict(newest.detail)) == ("alice", {"name": "export.json"})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=st.lists(st.sampled_from(["export.json", "codes.txt", "a", "archive.tar.gz"]), min_size=1, max_size=8),
    size=st.sampled_from([0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES]),
    seed=st.integers(0, 2**32),
)
def test_whatever_is_put_is_fetched_once_and_whole(
    store: Store, alice: Person, wanted: list[str], size: int, seed: int
) -> None:
    rng = random.Random(seed)
    kept = {}
    for name in wanted:
        content = rng.randbytes(size)
        kept[store.drawer.put(alice.token, name, content).name] = content
    assert len(kept) == len(wanted)
    assert set(names(store, alice.token)) == set(kept)
    for name in rng.sample(sorted(kept), len(kept)):
        assert fetch(store, alice.token, name) == kept[name]
        with pytest.raises(NoSuchItem):
            store.drawer.claim(alice.token, name)
    assert rows(store) == (0, 0)


def test_a_name_that_is_taken_gets_a_number(store: Store, alice: Person, bob: Person) -> None:
    store.drawer.put(bob.token, "export.json", "bob's")
    put = [store.drawer.put(alice.token, "export.json", str(number)).name for number in range(3)]
    assert put == ["export.json", "export-2.json", "export-3.json"]
    assert fetch(store, alice.token, "export-2.json") == b"1"
    assert store.drawer.put(alice.token, "export.json", "").name == "export-2.json"


@in_memory
@pytest.mark.parametrize(
    "name", ["", ".", "..", ".profile", "a/b", "/etc/passwd", "../x", "a\0b", "a\nb", "a b", "x" * 65, "-rf", "\u00e9"]
)
def test_a_name_is_never_a_path(store: Store, alice: Person, name: str) -> None:
    before = contents(store)
    with pytest.raises(InvalidInput):
        store.drawer.put(alice.token, name, "text")
    assert contents(store) == before
    with pytest.raises(NoSuchItem):
        store.drawer.claim(alice.token, name)


def test_it_is_gone_after_an_hour(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    first = store.drawer.put(alice.token, "first.txt", "1")
    store.drawer.put(bob.token, "other.txt", "2")
    clock.advance(minutes=40)
    store.drawer.put(alice.token, "second.txt", "3")
    under_way = store.drawer.claim(alice.token, "first.txt")
    clock.advance(minutes=20)
    alice = Person(alice.id, alice.name, sign_in(store))
    assert_each_refused(
        NoSuchItem,
        lambda: store.drawer.read(alice.token, under_way, 0, is_last_missing=True),
        lambda: store.drawer.remove(alice.token, first.id),
    )
    assert names(store, alice.token) == ["second.txt"]  # a look removes what is over
    assert rows(store) == (2, 2)
    assert store.drawer.purge() == 1
    assert store.drawer.purge() == 0
    assert rows(store) == (1, 1)
    clock.advance(minutes=40)
    with pytest.raises(NoSuchItem):
        store.drawer.claim(sign_in(store), "second.txt")
    assert rows(store) == (0, 0)


def test_a_fetch_that_breaks_off_gives_the_item_back(store: Store, alice: Person) -> None:
    content = random.Random(1).randbytes(PART_BYTES + 10)
    store.drawer.put(alice.token, "export.json", content)
    claimed = store.drawer.claim(alice.token, "export.json")
    assert store.drawer.read(alice.token, claimed, 0, is_last_missing=False) == content[:PART_BYTES]
    with pytest.raises(NoSuchItem, match="is being fetched"):
        store.drawer.claim(alice.token, "export.json")
    store.drawer.release(claimed)
    with pytest.raises(NoSuchItem):
        store.drawer.read(alice.token, claimed, 1, is_last_missing=True)
    assert fetch(store, alice.token, "export.json") == content
    store.drawer.release(claimed)
    assert rows(store) == (0, 0)


def test_a_fetch_that_falls_silent_loses_the_item(store: Store, alice: Person, clock: StillClock) -> None:
    store.drawer.put(alice.token, "export.json", bytes(PART_BYTES + 1))
    silent = store.drawer.claim(alice.token, "export.json")
    clock.advance(seconds=FETCH_LEASE.total_seconds() - 1)
    store.drawer.read(alice.token, silent, 0, is_last_missing=False)
    clock.advance(seconds=2)
    with pytest.raises(NoSuchItem):
        store.drawer.claim(alice.token, "export.json")
    clock.advance(seconds=FETCH_LEASE.total_seconds())
    assert len(fetch(store, alice.token, "export.json")) == PART_BYTES + 1
    with pytest.raises(NoSuchItem):
        store.drawer.read(alice.token, silent, 1, is_last_missing=True)


def test_an_item_that_is_removed_breaks_off_its_fetch(store: Store, alice: Person) -> None:
    put = store.drawer.put(alice.token, "export.json", "text")
    claimed = store.drawer.claim(alice.token, "export.json")
    store.drawer.remove(alice.token, put.id)
    assert_each_refused(
        NoSuchItem,
        lambda: store.drawer.read(alice.token, claimed, 0, is_last_missing=True),
        lambda: store.drawer.remove(alice.token, put.id),
    )
    assert tags(store, alice.id)[-2:] == ["drawer:put", "drawer:removed"]


def test_nobody_else_has_a_way_to_it(store: Store, alice: Person, bob: Person) -> None:
    put = store.drawer.put(alice.token, "export.json", "text")
    claimed = store.drawer.claim(alice.token, "export.json")
    before = contents(store)
    assert_each_refused(
        NoSuchItem,
        lambda: store.drawer.claim(bob.token, "export.json"),
        lambda: store.drawer.read(bob.token, claimed, 0, is_last_missing=True),
        lambda: store.drawer.remove(bob.token, put.id),
    )
    assert store.drawer.list(bob.token) == ()
    assert contents(store) == before


@pytest.mark.parametrize("ended", ["signed out", "locked", "suspended", "deleted"])
def test_a_session_that_is_over_gets_nothing(store: Store, alice: Person, bob: Person, ended: str) -> None:
    put = store.drawer.put(bob.token, "export.json", "text")
    claimed = store.drawer.claim(bob.token, "export.json")
    refused: type[GatekeyError] = SessionEnded
    match ended:
        case "signed out":
            store.sessions.end(bob.token)
        case "locked":
            store.sessions.lock(bob.token)
            refused = SessionLocked
        case "suspended":
            store.suspension.suspend("bob", actor=ADMIN)
            refused = SessionSuspended
        case "deleted":
            store.deletion.delete_by_name("bob", actor=ADMIN)
            assert rows(store) == (0, 0)
    assert_each_refused(
        refused,
        lambda: store.drawer.list(bob.token),
        lambda: store.drawer.put(bob.token, "x", "text"),
        lambda: store.drawer.claim(bob.token, "export.json"),
        lambda: store.drawer.read(bob.token, claimed, 0, is_last_missing=True),
        lambda: store.drawer.remove(bob.token, put.id),
    )


def test_it_is_bounded(store: Store, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ITEM_BYTES <= MAX_DRAWER_BYTES
    monkeypatch.setattr(drawer_parts, "MAX_ITEM_BYTES", 2 * PART_BYTES)
    monkeypatch.setattr(drawer, "MAX_DRAWER_BYTES", 3 * PART_BYTES)
    asked = 0

    def endless() -> Iterator[str]:
        nonlocal asked
        while True:
            asked += 1
            yield "x" * PART_BYTES

    with pytest.raises(TooLargeForDrawer, match="at most 32 MiB"):
        store.drawer.put(alice.token, "endless", endless())
    assert asked <= 4
    store.drawer.put(alice.token, "most", bytes(2 * PART_BYTES))
    with pytest.raises(DrawerFull, match="Fetch or remove one first"):
        store.drawer.put(alice.token, "more", bytes(PART_BYTES + 1))
    store.drawer.put(bob.token, "more", bytes(PART_BYTES + 1))
    for number in range(1, MAX_ITEMS):
        store.drawer.put(alice.token, f"{number}", "")
    with pytest.raises(DrawerFull, match=f"at most {MAX_ITEMS} items"):
        store.drawer.put(alice.token, "one-more", "")
    assert len(names(store, alice.token)) == MAX_ITEMS


def test_a_content_that_fails_leaves_nothing(store: Store, alice: Person) -> None:
    def broken() -> Iterator[str]:
        yield "x" * (PART_BYTES + 1)
        raise SessionEnded

    before = contents(store)
    with pytest.raises(SessionEnded):
        store.drawer.put(alice.token, "export.json", broken())
    assert contents(store) == before


def test_the_database_holds_no_word_of_it(store: Store, alice: Person) -> None:
    store.drawer.put(alice.token, "export.json", "planted words " * 100)
    with store.database.read() as tx:
        stored = [value for table in METADATA.sorted_tables for row in tx.execute(select(table)) for value in row]
    assert len(stored) > 100
    assert not any(b"planted" in value for value in stored if isinstance(value, bytes))
    assert not any("planted" in str(value) for value in stored)


@pytest.mark.parametrize("alteration", ["another account", "parts swapped", "last part left out", "another item"])
def test_what_was_moved_does_not_open(store: Store, alice: Person, bob: Person, alteration: str) -> None:
    one = store.drawer.put(alice.token, "one", bytes(3 * PART_BYTES))
    two = store.drawer.put(alice.token, "two", bytes(3 * PART_BYTES))
    token = alice.token
    with store.database.write() as tx:

        def change(table: Any, where: Any, **values: Any) -> None:
            assert tx.execute(update(table).where(where).values(values)).rowcount

        part = DrawerPart.c
        match alteration:
            case "another account":
                change(DrawerItemRow, DrawerItemRow.c.id == one.id, account_id=bob.id)
                token = bob.token
            case "parts swapped":
                for old, new in ((0, 9), (1, 0), (9, 1)):
                    change(DrawerPart, (part.item_id == one.id) & (part.number == old), number=new)
            case "last part left out":
                change(DrawerItemRow, DrawerItemRow.c.id == one.id, parts=2)
            case "another item":
                for item, number in ((one.id, 9), (two.id, 0)):
                    change(DrawerPart, (part.item_id == item) & (part.number == 0), number=number, item_id=one.id)
    with pytest.raises(KeyWrong):
        fetch(store, token, "one")
    assert "one" in names(store, token)
