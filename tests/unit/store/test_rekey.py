"""A new key: everything is readable at every moment, nothing is left under the old one, and the log stays whole."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update

from store import audit_checkpoint, key_file, rekey, site
from store.accounts import Role
from store.at_rest import KeyRing
from store.errors import DatabaseBusy, KeyMissing, KeyWrong, NotAllowed, NotAuthentic, TooManyAttempts
from store.key_file import FileRing, load_key_file
from store.models import METADATA, AuditEvent, SiteSetting, Throttle, TwoFactor
from store.sealed_columns import sealed_columns
from store.store import Store
from store.throttle import FREE_FAILURES, Factor
from tests.harness.full_account import live, prepare_site
from tests.harness.people import contents, enrol
from tests.harness.stores import StillClock, add_account, make_ring, make_store, sign_in
from tests.unit.store.audit_log import act, report


@dataclass
class KeyedStore:
    """A store that reads its keys from a file, as every command does."""

    url: str
    key: Path
    clock: StillClock

    def open(self, seed: int = 1) -> Store:
        return make_store(self.url, clock=self.clock, ring=FileRing(self.key), seed=seed)


@pytest.fixture
def keyed_store(url: str, tmp_path: Path, clock: StillClock) -> KeyedStore:
    key = tmp_path / "keys" / "key"
    key_file.write_key_file(key, make_ring())
    return KeyedStore(url, key, clock)


def renew(store: Store, key: Path) -> rekey.Renewed:
    return rekey.rekey(store, key, actor="unix:root", wait=lambda _: None, say=lambda _: None)


def sealed_under(store: Store) -> dict[int, int]:
    """The number of values sealed under each key; each is opened on the way."""
    found: dict[int, int] = {}
    with store.database.read() as tx:
        for column in sealed_columns():
            for _, sealed, bound_to in column.values(tx):
                store.context.ring.open(sealed, column.associated_data(bound_to))
                found[sealed[0]] = found.get(sealed[0], 0) + 1
    return found


def test_every_sealed_column_is_known() -> None:
    in_models = {
        (table.name, column.name)
        for table in METADATA.sorted_tables
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert {(column.table.name, column.name) for column in sealed_columns()} == in_models


def test_everything_passes_to_the_new_key(keyed_store: KeyedStore, clock: StillClock) -> None:
    old = load_key_file(keyed_store.key)
    with keyed_store.open() as store:
        prepare_site(store)
        live(store, clock, "alice", role=Role.ADMIN)
        planted = live(store, clock, "bob", number=2)
        before = report(store)
        count = sum(sealed_under(store).values())
        done = renew(store, keyed_store.key)
        assert (done.key_id, done.values, done.unreadable) == (2, count, 0)
        assert done.chains == 3
        assert sealed_under(store) == {2: count}
        after = report(store)
        assert after.is_intact
        assert {one: chain.digest for one, chain in after.accounts.items()} == {
            one: chain.digest for one, chain in before.accounts.items()
        }
        assert store.site.text("upstream.api_key") == "sk-planted-upstream-key"
        with store.database.read() as tx:
            (told,) = store.audit.site_page(tx, limit=1)
        assert (told.tag, told.actor, told.detail) == ("key:renewed", "unix:root", {"key_id": 2})
        store.sessions.whoami(planted.person.token)
    new = load_key_file(keyed_store.key)
    assert list(new.keys) == [2]
    assert new.keys[2] not in old.keys.values()
    assert keyed_store.key.stat().st_mode & 0o777 == 0o600
    with keyed_store.open(seed=2) as store:
        act(store, planted.person.id)
        assert report(store).is_intact
    with pytest.raises(KeyWrong):
        make_store(keyed_store.url, clock=clock, ring=old)


def test_again_and_again(keyed_store: KeyedStore) -> None:
    with keyed_store.open() as store:
        alice = add_account(store)
        for number in range(2, 6):
            assert renew(store, keyed_store.key).key_id == number
            act(store, alice.id)
        assert report(store).is_intact


def test_a_program_that_runs_goes_on(keyed_store: KeyedStore, clock: StillClock) -> None:
    """One that was started before reads and writes meanwhile, without a new start."""
    steps = 0
    with keyed_store.open() as store, keyed_store.open(seed=2) as running:
        prepare_site(store)
        person = live(store, clock, "alice", role=Role.ADMIN).person

        def go_on(*_: object) -> None:
            nonlocal steps
            steps += 1
            assert running.site.text("upstream.api_key") == "sk-planted-upstream-key"
            running.site.set("smtp.password", f"password {steps}", actor="x")
            assert running.site.mail().password == f"password {steps}"
            act(running, person.id)
            assert report(running).is_intact

        done = rekey.rekey(store, keyed_store.key, actor="x", wait=go_on, say=go_on)
        go_on()
        assert done.unreadable == 0
        assert list(load_key_file(keyed_store.key).keys) == [2]
        assert set(sealed_under(running)) == {2}
    assert steps == 3


def test_one_that_was_stopped_goes_on(keyed_store: KeyedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    with keyed_store.open() as store:
        add_account(store)
        store.site.set("smtp.password", "planted", actor="x")
        for name in ("_reseal", "_renew_log", "_finish"):
            with monkeypatch.context() as patch:
                patch.setattr(rekey, name, stop)
                with pytest.raises(Stopped):
                    renew(store, keyed_store.key)
            assert sorted(load_key_file(keyed_store.key).keys) == [1, 2]
            assert store.site.mail().password == "planted"
            assert report(store).is_intact
        with monkeypatch.context() as patch:
            patch.setattr(key_file, "replace_key_file", stop)
            with pytest.raises(Stopped):
                renew(store, keyed_store.key)
        assert store.site.mail().password == "planted"
    with keyed_store.open(seed=2) as store:
        assert renew(store, keyed_store.key).key_id == 2
        assert store.site.mail().password == "planted"
        assert report(store).is_intact
    assert list(load_key_file(keyed_store.key).keys) == [2]


def test_a_lock_outlives_the_key(keyed_store: KeyedStore, clock: StillClock) -> None:
    with keyed_store.open() as store:
        add_account(store)
        for number in range(6):
            clock.advance(hours=1)
            with pytest.raises((NotAuthentic, NotAllowed)):
                store.sign_in.with_password("alice", "wrong", source=f"pts/{number}")
        renew(store, keyed_store.key)
        with pytest.raises(NotAllowed):
            store.sign_in.with_password("alice", "wrong", source="pts/9")


def test_a_lock_holds_while_the_old_key_is_still_in_the_file(
    keyed_store: KeyedStore, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_key_file, tries = key_file.replace_key_file, []

    def guess(store: Store) -> None:
        with pytest.raises(TooManyAttempts):
            store.throttles.reserve(Factor.PASSWORD, "alice")
        tries.append(1)

    with keyed_store.open() as store, keyed_store.open(seed=2) as running:
        add_account(store)
        for _ in range(FREE_FAILURES):
            store.throttles.reserve(Factor.PASSWORD, "alice")

        def look_first(path: Path, ring: KeyRing) -> None:
            guess(running)
            replace_key_file(path, ring)
            guess(running)

        monkeypatch.setattr(key_file, "replace_key_file", look_first)
        renew(store, keyed_store.key)
        assert len(tries) == 4
        with store.database.read() as tx:
            assert tx.execute(select(func.count()).select_from(Throttle)).scalar_one() == 1, "none is left behind"


def test_what_did_not_fit_does_not_fit_afterwards(keyed_store: KeyedStore) -> None:
    with keyed_store.open() as store:
        alice, bob = add_account(store), add_account(store, "bob")
        act(store, alice.id, 5)
        with store.database.engine.begin() as tx:
            tx.execute(
                update(AuditEvent)
                .where(AuditEvent.c.account_id == alice.id, AuditEvent.c.sequence == 3)
                .values(actor="mallory")
            )
        renew(store, keyed_store.key)
        found = report(store)
        assert (found.accounts[alice.id].broken_at, found.accounts[bob.id].broken_at) == (3, None)


def test_what_could_not_be_opened_is_left_and_told(keyed_store: KeyedStore, clock: StillClock) -> None:
    with keyed_store.open() as store:
        add_account(store)
        enrol(store, clock, sign_in(store))
        with store.database.engine.begin() as tx:
            tx.execute(update(TwoFactor).values(secret_sealed=b"\x01" + bytes(40)))
        assert renew(store, keyed_store.key).unreadable == 1
        with store.database.read() as tx:
            assert tx.execute(select(TwoFactor.c.secret_sealed)).scalar_one() == b"\x01" + bytes(40)


def test_a_checkpoint_outlives_the_key(keyed_store: KeyedStore) -> None:
    with keyed_store.open() as store:
        add_account(store)
        with store.database.read() as tx:
            earlier = audit_checkpoint.checkpoint_of(store.audit.verify_all(tx), store.context.now())
        renew(store, keyed_store.key)
        with store.database.read() as tx:
            found = store.audit.verify_all(tx)
            assert list(audit_checkpoint.compare(tx, store.context.ring, found, earlier)) == []


def test_two_at_once_never_lose_a_key(keyed_store: KeyedStore) -> None:
    with keyed_store.open() as store, key_file.lock_key_file(keyed_store.key):
        with pytest.raises(DatabaseBusy, match="Another gatekey admin rekey"):
            renew(store, keyed_store.key)
        assert load_key_file(keyed_store.key) == make_ring()


def test_a_ring_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    one = make_ring()
    key_file.write_key_file(path, one)
    ring = FileRing(path)
    sealed = ring.seal("planted", "a:b:c", random.Random(1))
    assert (ring.current, dict(ring.keys)) == (1, dict(one.keys))
    two = KeyRing(2, {**one.keys, 2: bytes(range(32))})
    key_file.replace_key_file(path, two)
    assert (ring.current, ring.oldest) == (2, 1)
    assert ring.open(sealed, "a:b:c") == "planted"
    assert ring.seal("planted", "a:b:c", random.Random(1))[0] == 2
    path.write_text("nonsense")
    assert ring.open(sealed, "a:b:c") == "planted", "what is open stays open"
    path.unlink()
    assert ring.open(sealed, "a:b:c") == "planted"


def test_a_read_that_failed_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    one = make_ring()
    key_file.write_key_file(path, one)
    ring = FileRing(path)
    key_file.replace_key_file(path, KeyRing(2, {**one.keys, 2: bytes(range(32))}))
    path.chmod(0o640)
    assert ring.current == 1, "what is open stays open"
    path.chmod(0o600)
    assert ring.current == 2


OPERATIONS: dict[str, Callable[[KeyRing, bytes], object]] = {
    "seal": lambda ring, _: ring.seal("planted", "a:b:c", random.Random(1)),
    "open": lambda ring, sealed: ring.open(sealed, "a:b:c"),
    "mac": lambda ring, _: ring.mac("test", b"text"),
    "mac under a key": lambda ring, _: ring.mac("test", b"text", 1),
    "oldest": lambda ring, _: ring.oldest,
    "serialise": lambda ring, _: ring.serialise(),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_sees_one_ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The file is replaced after its first look."""
    path = tmp_path / "key"
    one = KeyRing(2, {1: bytes(32), 2: bytes(range(32))})
    sealed = one.seal("planted", "a:b:c", random.Random(1))
    key_file.write_key_file(path, one)
    ring = FileRing(path)
    original = key_file._stamp

    def stamp_and_replace(of: Path) -> tuple[int, ...]:
        stamp = original(of)
        key_file.replace_key_file(path, KeyRing(3, {3: bytes(range(1, 33))}))
        return stamp

    monkeypatch.setattr(key_file, "_stamp", stamp_and_replace)
    assert OPERATIONS[name](ring, sealed) == OPERATIONS[name](one, sealed)


def test_a_new_key_file_belongs_to_the_owner_of_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, chown, owners = tmp_path / "key", os.fchown, []
    key_file.write_key_file(path, make_ring())
    before = path.stat()

    def give(descriptor: int, owner: int, group: int) -> None:
        owners.append((owner, group))
        chown(descriptor, owner, group)

    monkeypatch.setattr(os, "fchown", give)
    key_file.replace_key_file(path, make_ring(2))
    assert owners == []
    monkeypatch.setattr(os, "geteuid", lambda: before.st_uid + 1)
    key_file.replace_key_file(path, make_ring(3))
    assert owners == [(before.st_uid, before.st_gid)]
    assert load_key_file(path) == make_ring(3)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_file_of_somebody_else_is_left_alone(
    keyed_store: KeyedStore, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with keyed_store.open() as store:
        add_account(store)
        before = contents(store)
        monkeypatch.setattr(os, "fchown", refuse)
        other = keyed_store.key.stat().st_uid + 1
        monkeypatch.setattr(os, "geteuid", lambda: other)
        with pytest.raises(KeyMissing, match="Operation not permitted"):
            renew(store, keyed_store.key)
        assert contents(store) == before
    assert load_key_file(keyed_store.key) == make_ring()
    assert list(keyed_store.key.parent.iterdir()) == [keyed_store.key]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_value_that_is_not_committed_yet_is_waited_for(keyed_store: KeyedStore, clock: StillClock) -> None:
    old = make_ring()
    late = {
        "name": "smtp.password",
        "value": "",
        "value_sealed": old.seal("late", site.associated_data("smtp.password"), random.Random(1)),
        "updated_at": clock.now(),
    }
    waiting = text("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
    with keyed_store.open() as store, keyed_store.open(seed=2) as running, ThreadPoolExecutor(1) as pool:
        add_account(store)
        key_file.replace_key_file(keyed_store.key, KeyRing(2, {**old.keys, 2: bytes(range(32))}))
        ring = load_key_file(keyed_store.key)
        rekey._renew_log(store, ring)
        with running.database.write() as tx:
            tx.execute(insert(SiteSetting).values(late))
            finished = pool.submit(rekey._finish, store, ring, 0, "x")
            with running.database.read() as look:
                while not finished.done() and not look.execute(waiting).scalar_one():
                    pass
        assert finished.result() is False
        assert renew(store, keyed_store.key).values == 1
        assert sealed_under(store) == {2: 1}
