"""The events of an account: one per act, in the act's transaction, and no way to change one unnoticed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from store.audit_macs import GENESIS
from store.audit_tags import SiteTag, Tag
from store.models import AuditEvent, AuditHead, AuditTotal, SiteEvent
from store.store import Store
from tests.harness.people import Person, contents
from tests.harness.stores import StillClock, make_ring


def record(store: Store, account_id: int, count: int) -> None:
    with store.database.write() as tx:
        for number in range(count):
            store.audit.record(tx, account_id, Tag.SETTINGS_SAVED, actor="alice", source="pts/0", number=number)


def verdict(store: Store, account_id: int) -> int | None:
    with store.database.read() as tx:
        return store.audit.verify(tx, account_id)


def test_events_come_newest_first_and_in_pages(store: Store, alice: Person, clock: StillClock) -> None:
    record(store, alice.id, 5)
    with store.database.read() as tx:
        newest = store.audit.page(tx, alice.id, limit=3)
        older = store.audit.page(tx, alice.id, before=newest[-1].sequence)
    assert [event.detail.get("number") for event in newest] == [4, 3, 2]
    assert [event.sequence for event in (*newest, *older)] == [7, 6, 5, 4, 3, 2, 1]
    assert (newest[0].at, newest[0].tag, newest[0].actor, newest[0].source) == (
        clock.now(),
        "settings:saved",
        "alice",
        "pts/0",
    )


def test_the_newest_event_says_when_the_clock_last_stood(store: Store, clock: StillClock) -> None:
    assert store.audit.newest_at() is None
    store.accounts.create("alice", None, actor="test")
    clock.advance(days=1)
    bob = store.accounts.create("bob", None, actor="test")
    assert store.audit.newest_at() == clock.now()
    with store.database.write() as tx:
        tx.execute(delete(AuditEvent).where(AuditEvent.c.account_id == bob.id))
    assert store.audit.newest_at() == clock.now() - timedelta(days=1)


def test_hostile_text_is_kept_harmless(store: Store, alice: Person) -> None:
    hostile = "pts\x1b[31m\x00\ud800\u202e" + "x" * 500
    store.sessions.end(alice.token)
    store.accounts.reset_factors("alice", actor=hostile)
    store.sign_in.with_password("alice", "correct horse battery staple", source=hostile)
    with store.database.read() as tx:
        events = store.audit.page(tx, alice.id)
    assert events[0].source.startswith("pts\ufffd[31m\ufffd\ufffd\ufffdxxx")
    assert events[1].actor == events[0].source
    assert len(events[0].source) == 200
    assert verdict(store, alice.id) is None


def test_an_untouched_chain_fits(store: Store, alice: Person, bob: Person) -> None:
    record(store, alice.id, 20)
    record(store, bob.id, 20)
    assert verdict(store, alice.id) is verdict(store, bob.id) is None


Tampering = Callable[[Connection, int], object]


def change(**values: object) -> Tampering:
    """Change the fifth event."""
    return lambda tx, account_id: tx.execute(
        update(AuditEvent).where(AuditEvent.c.account_id == account_id, AuditEvent.c.sequence == 5).values(**values)
    )


def remove(sequence: int) -> Tampering:
    return lambda tx, account_id: tx.execute(
        delete(AuditEvent).where(AuditEvent.c.account_id == account_id, AuditEvent.c.sequence == sequence)
    )


def close_the_gap(tx: Connection, account_id: int) -> None:
    remove(5)(tx, account_id)
    for sequence in range(6, 11):
        tx.execute(
            update(AuditEvent)
            .where(AuditEvent.c.account_id == account_id, AuditEvent.c.sequence == sequence)
            .values(sequence=sequence - 1)
        )
    tx.execute(update(AuditHead).where(AuditHead.c.account_id == account_id).values(sequence=9))


def swap(tx: Connection, account_id: int) -> None:
    for old, new in ((5, 99), (6, 5), (99, 6)):
        tx.execute(
            update(AuditEvent)
            .where(AuditEvent.c.account_id == account_id, AuditEvent.c.sequence == old)
            .values(sequence=new)
        )


def slip_in(tx: Connection, account_id: int) -> None:
    last = tx.execute(
        select(AuditEvent).where(AuditEvent.c.account_id == account_id, AuditEvent.c.sequence == 10)
    ).one()
    values = dict(last._mapping) | {"sequence": 11}
    del values["id"]
    tx.execute(insert(AuditEvent).values(**values))
    tx.execute(update(AuditHead).where(AuditHead.c.account_id == account_id).values(sequence=11))


def cut_off(tx: Connection, account_id: int) -> None:
    """Remove the newest three events, and set the head back to match."""
    for sequence in (8, 9, 10):
        remove(sequence)(tx, account_id)
    tx.execute(update(AuditHead).where(AuditHead.c.account_id == account_id).values(sequence=7))


def set_back(tx: Connection, account_id: int) -> None:
    """Remove the newest three events, and make the head exactly that of the event before them."""
    cut_off(tx, account_id)
    which = (AuditEvent.c.account_id == account_id, AuditEvent.c.sequence == 7)
    mac = tx.execute(select(AuditEvent.c.mac).where(*which)).scalar_one()
    tx.execute(update(AuditHead).where(AuditHead.c.account_id == account_id).values(mac=mac))


def wipe(tx: Connection, account_id: int) -> None:
    tx.execute(delete(AuditEvent).where(AuditEvent.c.account_id == account_id))


def wipe_and_behead(tx: Connection, account_id: int) -> None:
    wipe(tx, account_id)
    tx.execute(delete(AuditHead).where(AuditHead.c.account_id == account_id))


def borrow(tx: Connection, account_id: int) -> None:
    """Give the account the event of another in the place of its own."""
    theirs = tx.execute(
        select(AuditEvent).where(AuditEvent.c.account_id != account_id, AuditEvent.c.sequence == 5)
    ).one()
    fields = {name: value for name, value in theirs._mapping.items() if name not in ("id", "account_id")}
    change(**fields)(tx, account_id)


TAMPERINGS: dict[str, tuple[Tampering, int]] = {
    "tag": (change(tag="exported"), 5),
    "actor": (change(actor="mallory"), 5),
    "source": (change(source="elsewhere"), 5),
    "time": (change(at=StillClock().now() - timedelta(seconds=1)), 5),
    "detail": (change(detail={"number": 99}), 5),
    "detail removed": (change(detail={}), 5),
    "mac": (change(mac=b"\x00" * 32), 5),
    "first removed": (remove(1), 1),
    "middle removed": (remove(5), 5),
    "last removed": (remove(10), 10),
    "gap closed": (close_the_gap, 5),
    "swapped": (swap, 5),
    "slipped in": (slip_in, 11),
    "cut off": (cut_off, 8),
    "cut off, head set back": (set_back, 8),
    "wiped": (wipe, 1),
    "wiped, head too": (wipe_and_behead, 1),
    "head removed": (
        lambda tx, account_id: tx.execute(delete(AuditHead).where(AuditHead.c.account_id == account_id)),
        11,
    ),
    "head set back": (
        lambda tx, account_id: tx.execute(
            update(AuditHead).where(AuditHead.c.account_id == account_id).values(sequence=9)
        ),
        11,
    ),
    "borrowed": (borrow, 5),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_tampering_is_found_at_its_place(store: Store, alice: Person, bob: Person, kind: str) -> None:
    for person in (alice, bob):
        record(store, person.id, 8)
    tamper, place = TAMPERINGS[kind]
    with store.database.write() as tx:
        tamper(tx, alice.id)
    assert verdict(store, alice.id) == place
    assert verdict(store, bob.id) is None


def set_back_to_nothing(tx: Connection, account_id: int) -> None:
    wipe(tx, account_id)
    tx.execute(update(AuditHead).where(AuditHead.c.account_id == account_id).values(sequence=0, mac=GENESIS))


CUTS: dict[str, Tampering] = {
    "the newest, head's number alone set back": cut_off,
    "the newest, head set back": set_back,
    "all, head set back": set_back_to_nothing,
}


@pytest.mark.parametrize("kind", CUTS)
def test_a_cut_is_found_whatever_is_recorded_after_it(store: Store, alice: Person, bob: Person, kind: str) -> None:
    for person in (alice, bob):
        record(store, person.id, 8)
    with store.database.write() as tx:
        CUTS[kind](tx, alice.id)
    for _ in range(2):
        record(store, alice.id, 1)
        record(store, bob.id, 1)
        assert verdict(store, alice.id) is not None
        assert verdict(store, bob.id) is None
        with store.database.read() as tx:
            assert not store.audit.verify_all(tx).is_intact


def test_a_removed_chain_is_found_whatever_is_recorded_after_it(store: Store, alice: Person) -> None:
    record(store, alice.id, 8)
    with store.database.write() as tx:
        wipe_and_behead(tx, alice.id)
    for _ in range(2):
        record(store, alice.id, 1)
        with store.database.read() as tx:
            assert not store.audit.verify_all(tx).is_intact


@pytest.mark.parametrize("left", [0, 1])
def test_a_cut_of_the_site_is_found_whatever_is_recorded_after_it(store: Store, left: int) -> None:
    def act() -> None:
        with store.database.write() as tx:
            store.audit.record_site(tx, SiteTag.SETTING_CHANGED, actor="root", source="test")

    for _ in range(3):
        act()
    with store.database.write() as tx:
        tx.execute(delete(SiteEvent).where(SiteEvent.c.sequence > left))
        mac = tx.execute(select(SiteEvent.c.mac)).scalar() or GENESIS
        tx.execute(update(AuditTotal).values(sequence=left, mac=mac))
    for _ in range(2):
        act()
        with store.database.read() as tx:
            report = store.audit.verify_all(tx)
        assert report.site.broken_at is not None
        assert not report.is_bound


def test_any_single_change_of_many_is_found(memory_store: Store) -> None:
    account_id = memory_store.accounts.create("alice", None, actor="test").id
    record(memory_store, account_id, 99)
    found = 0
    for sequence in range(1, 101):
        which = (AuditEvent.c.account_id == account_id, AuditEvent.c.sequence == sequence)
        with memory_store.database.write() as tx:
            actor = tx.execute(select(AuditEvent.c.actor).where(*which)).scalar_one()
            tx.execute(update(AuditEvent).where(*which).values(actor="mallory"))
        found += verdict(memory_store, account_id) == sequence
        with memory_store.database.write() as tx:
            tx.execute(update(AuditEvent).where(*which).values(actor=actor))
    print(f"altered events named: {found} of 100")
    assert found == 100
    assert verdict(memory_store, account_id) is None


def test_another_key_fits_no_chain(store: Store, alice: Person) -> None:
    from dataclasses import replace

    from store.audit import Audit

    with store.database.read() as tx:
        assert Audit(replace(store.context, ring=make_ring(8))).verify(tx, alice.id) == 1


def test_an_event_that_cannot_be_written_stops_its_act(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.errors import DatabaseFull

    def full(*_arguments: object, **_more: object) -> None:
        raise DatabaseFull

    before = contents(store)
    monkeypatch.setattr(type(store.audit), "record", full)
    for act in (
        lambda: store.access_token.generate(alice.token),
        lambda: store.quota.adjust("alice", add=1, actor="root"),
        lambda: store.passwords.reset("alice", "another good one, truly", actor="root"),
        lambda: store.sessions.end(alice.token),
        lambda: store.accounts.create("carol", None, actor="root"),
    ):
        with pytest.raises(DatabaseFull):
            act()
    assert contents(store) == before
