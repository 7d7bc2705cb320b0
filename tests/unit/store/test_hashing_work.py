"""A refused password costs the same slow work whoever it was for, and a name nobody has the same writes."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import argon2
import pytest
from sqlalchemy import update

from store.accounts import Role
from store.errors import FactorDisabled, TooManyAttempts, WrongCredentials
from store.hashing import Cost, Hasher, cost_of, dummy_hash
from store.models import Account
from store.store import Store
from store.throttle import DISABLED_AFTER_FAILURES, FREE_FAILURES, Factor
from tests.harness.fixtures import in_memory
from tests.harness.people import contents, statements
from tests.harness.stores import CHEAP, PASSWORD, StillClock, add_account, make_store

TODAY = Cost(memory_kib=512, passes=3, lanes=4)


@dataclass
class Work:
    """The argon2 that was computed, by the cost of each hash."""

    done: list[Cost] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(cost.work for cost in self.done)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Counted below passlib, where nothing can be computed unseen."""
    work = Work()
    hash_secret, verify_secret = argon2.low_level.hash_secret, argon2.low_level.verify_secret

    def counted_hash(*arguments: Any, **more: Any) -> bytes:
        work.done.append(Cost(more["memory_cost"], more["time_cost"], more["parallelism"]))
        return hash_secret(*arguments, **more)

    def counted_verify(stored: bytes, *arguments: Any, **more: Any) -> bool:
        cost = cost_of(stored.decode())
        if cost is None:
            return verify_secret(stored, *arguments, **more)  # refused, before it costs anything
        with suppress(argon2.exceptions.VerifyMismatchError):
            fits = verify_secret(stored, *arguments, **more)
            work.done.append(cost)
            return fits
        work.done.append(cost)
        raise argon2.exceptions.VerifyMismatchError

    monkeypatch.setattr(argon2.low_level, "hash_secret", counted_hash)
    monkeypatch.setattr(argon2.low_level, "verify_secret", counted_verify)
    return work


@pytest.fixture
def costly(store: Store) -> Store:
    """The store at a cost that an older one can be below."""
    object.__setattr__(store.context, "hasher", Hasher(TODAY, CHEAP))
    return store


def stored_as(store: Store, password_hash: str | None) -> None:
    with store.database.write() as tx:
        tx.execute(update(Account).values(password_hash=password_hash))


def today(_: Store) -> None:
    """A hash of today's cost is what `add_account` makes."""


def older(store: Store) -> None:
    stored_as(store, Hasher(Cost(256, 2, 1), CHEAP).hash_password(PASSWORD))


def much_older(store: Store) -> None:
    stored_as(store, Hasher(Cost(8, 1, 1), CHEAP).hash_password(PASSWORD))


def fewer_passes(store: Store) -> None:
    stored_as(store, Hasher(Cost(512, 2, 4), CHEAP).hash_password(PASSWORD))


def without_password(store: Store) -> None:
    stored_as(store, None)


def suspended(store: Store) -> None:
    add_account(store, "bob", role=Role.ADMIN)
    store.suspension.suspend("alice", actor="test")


def damaged(store: Store) -> None:
    stored_as(store, "$argon2id$v=19$m=512,t=3,p=4$not base64$neither")


def of_another_kind(store: Store) -> None:
    stored_as(store, "$2b$12$xxxxxxxxxxxxxxxxxxxxxx")


@in_memory
@pytest.mark.parametrize("name", ["alice", "nobody"])
@pytest.mark.parametrize(
    "make", [today, older, much_older, fewer_passes, without_password, suspended, damaged, of_another_kind]
)
def test_a_refusal_costs_one_hash_of_today(costly: Store, work: Work, make: Any, name: str) -> None:
    add_account(costly)
    make(costly)
    work.done.clear()
    with pytest.raises(WrongCredentials):
        costly.sign_in.with_password(name, "wrong", source="pts/0")
    # An argon2 of 4 lanes takes memory in steps of 16 KiB.
    assert TODAY.work - 3 * 16 <= work.total <= TODAY.work, work.done


def test_an_older_hash_is_renewed_for_whoever_knows_the_password(costly: Store, work: Work) -> None:
    add_account(costly)
    older(costly)
    work.done.clear()
    costly.sign_in.with_password("alice", PASSWORD, source="pts/0")
    assert work.done == [Cost(256, 2, 1), TODAY]
    work.done.clear()
    costly.sign_in.with_password("alice", PASSWORD, source="pts/0")
    assert work.done == [TODAY]


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_locked_or_disabled_name_costs_nothing_whoever_it_is(
    costly: Store, work: Work, clock: StillClock, name: str
) -> None:
    add_account(costly)
    for _ in range(FREE_FAILURES):
        costly.throttles.reserve(Factor.PASSWORD, name)
    work.done.clear()
    with pytest.raises(TooManyAttempts):
        costly.sign_in.with_password(name, PASSWORD, source="pts/0")
    for _ in range(DISABLED_AFTER_FAILURES - FREE_FAILURES):
        clock.advance(seconds=900)
        costly.throttles.reserve(Factor.PASSWORD, name)
    clock.advance(seconds=900)
    with pytest.raises(FactorDisabled):
        costly.sign_in.with_password(name, PASSWORD, source="pts/0")
    assert work.done == []


def test_a_password_too_long_to_be_one_costs_nothing_whoever_it_is_for(costly: Store, work: Work) -> None:
    add_account(costly)
    work.done.clear()
    for name in ("alice", "nobody"):
        with pytest.raises(WrongCredentials):
            costly.sign_in.with_password(name, "x" * 2000, source="pts/0")
    assert work.done == []


def test_opening_a_store_hashes_nothing(work: Work) -> None:
    with make_store():
        Hasher()
    assert work.done == []


def test_a_decoy_is_of_the_cost_and_fits_nothing() -> None:
    assert cost_of(dummy_hash(TODAY)) == TODAY
    assert not argon2.PasswordHasher().check_needs_rehash(dummy_hash(Cost(65536, 3, 4)))
    assert Hasher(TODAY, CHEAP).check_password("gatekey: a decoy", dummy_hash(TODAY)) == (False, None)


def test_a_name_nobody_has_costs_the_same_statements_and_leaves_nothing(store: Store) -> None:
    """A statement is compiled at its first use: several milliseconds that would name who has an account."""
    add_account(store)
    before, seen = contents(store), {}
    for name in ("nobody", "alice"):
        with statements(store) as seen[name], pytest.raises(WrongCredentials):
            store.sign_in.with_password(name, "wrong", source="pts/0")
        if name == "nobody":
            counted = {"throttles", "rate_windows"}
            assert {table for table, rows in contents(store).items() if rows != before[table]} == counted
            with store.database.read() as tx:
                assert store.audit.verify_all(tx).is_intact
    assert set(seen["alice"]) <= set(seen["nobody"])
    assert any("audit_events" in statement for statement in seen["alice"])


def test_a_name_nobody_has_is_refused_where_nobody_has_an_account(store: Store) -> None:
    with pytest.raises(WrongCredentials):
        store.sign_in.with_password("nobody", "wrong", source="pts/0")
