"""Slow hashes: argon2id at the stated cost, and never an exception for what is stored."""

import threading

import pytest

from store.hashing import CODE_COST, MAX_CONCURRENT_HASHES, PASSWORD_COST, Cost, Hasher
from tests.harness.stores import CHEAP


@pytest.fixture
def hasher() -> Hasher:
    return Hasher(CHEAP, CHEAP)


def test_the_cost_is_in_the_hash() -> None:
    assert (Cost(65536, 3, 4), Cost(19456, 2, 1)) == (PASSWORD_COST, CODE_COST)
    hasher = Hasher()
    assert hasher.hash_password("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hasher.hash_code("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_password_fits_only_its_hash(hasher: Hasher) -> None:
    stored = hasher.hash_password("right")
    assert hasher.check_password("right", stored) == (True, None)
    assert hasher.check_password("wrong", stored) == (False, None)
    assert stored != hasher.hash_password("right")


def test_a_code_fits_only_its_hash(hasher: Hasher) -> None:
    stored = hasher.hash_code("right")
    assert hasher.check_code("right", stored)
    assert not hasher.check_code("wrong", stored)


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=64", "$2b$12$xxxxxxxxxxxxxxxxxxxxxx", "\x00"])
def test_a_damaged_hash_fits_nothing(hasher: Hasher, stored: str) -> None:
    assert hasher.check_password("x", stored) == (False, None)
    assert not hasher.check_code("x", stored)


@pytest.mark.parametrize("typed", ["", "\x00", "\ud800", "x" * 5000])
def test_nothing_typed_raises(hasher: Hasher, typed: str) -> None:
    assert hasher.check_password(typed, hasher.hash_password("right")) == (False, None)
    assert hasher.check_password(typed, None) == (False, None)
    assert not hasher.check_code(typed, hasher.hash_code("right"))


def test_no_password_fits_where_there_is_none(hasher: Hasher) -> None:
    assert hasher.check_password("a password nobody has", None) == (False, None)


def test_at_most_two_hashes_at_once(hasher: Hasher, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, both = [0], [0], threading.Barrier(MAX_CONCURRENT_HASHES)
    counting = threading.Lock()
    verify = hasher._passwords.verify

    def slow(password: str, stored: str) -> object:
        with counting:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        both.wait(20)
        with counting:
            inside[0] -= 1
        return verify(password, stored)

    stored = hasher.hash_password("x")
    monkeypatch.setattr(hasher._passwords, "verify", slow)
    threads = [
        threading.Thread(target=hasher.check_password, args=("x", stored)) for _ in range(MAX_CONCURRENT_HASHES * 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [MAX_CONCURRENT_HASHES]
