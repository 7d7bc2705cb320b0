"""Backup recovery codes: ten of 80 bits, forgiving to type, good once, never shown again."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from store.backup_codes import ALPHABET, CODE_LENGTH, BackupCodes, canonical, generate
from store.errors import CodeAlreadyUsed, WrongCode
from store.models import BackupCode
from store.store import Store
from store.values.two_factor import BACKUP_CODES_PER_SET
from tests.harness.people import Person, configure_mail, contents, enrol, queued, tags, ticket_for
from tests.harness.stores import StillClock


def test_a_code_is_sixteen_symbols_of_crockfords_alphabet() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 32
    assert not set("ILOU") & set(ALPHABET)
    codes = generate(random.Random(1))
    assert len(codes) == len(set(codes)) == BACKUP_CODES_PER_SET
    for code in codes:
        groups = code.split("-")
        assert [len(group) for group in groups] == [4, 4, 4, 4]
        assert set("".join(groups)) <= set(ALPHABET)


@pytest.mark.parametrize("sets", [600, pytest.param(10_000, marks=pytest.mark.long)])
def test_every_symbol_is_as_likely(sets: int) -> None:
    rng = random.Random(2)
    codes = [code for _ in range(sets) for code in generate(rng)]
    assert len(set(codes)) == len(codes)
    seen = Counter("".join(codes).replace("-", ""))
    expected = sum(seen.values()) / len(ALPHABET)
    chi_square = sum((seen[symbol] - expected) ** 2 / expected for symbol in ALPHABET)
    print(f"chi-square of {sum(seen.values())} symbols, 31 degrees of freedom: {chi_square:.1f}")
    assert chi_square < 61.1  # p = 0.001


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("0123-4567-89AB-CDEF", "0123456789ABCDEF"),
        ("0123456789abcdef", "0123456789ABCDEF"),
        (" 01 23 45 67 89 ab cd ef ", "0123456789ABCDEF"),
        ("OoIi-LlZz-8888-8888", "001111ZZ88888888"),
        ("", None),
        ("0123-4567-89AB-CDE", None),
        ("0123-4567-89AB-CDEFF", None),
        ("0123-4567-89AB-CDEU", None),
        ("0123-4567-89AB-CDE!", None),
        ("٠١٢٣-4567-89AB-CDEF", None),
        ("0123456789ABCDE\x00", None),
        ("0123456789ABCDEﬀ", None),
    ],
)
def test_what_is_typed_is_forgiven(typed: str, meant: str | None) -> None:
    assert canonical(typed) == meant


@given(st.text(max_size=40))
def test_nothing_typed_is_more_than_a_code(typed: str) -> None:
    code = canonical(typed)
    assert code is None or (len(code) == CODE_LENGTH and set(code) <= set(ALPHABET) and canonical(code) == code)


def test_each_code_is_good_once(store: Store, alice: Person, clock: StillClock) -> None:
    codes = enrol(store, clock, alice.token).codes
    accepted = refused = 0
    for code in codes:
        store.sign_in.with_code(ticket_for(store), code)
        accepted += 1
        with pytest.raises(CodeAlreadyUsed, match="used before") as caught:
            store.sign_in.with_code(ticket_for(store), code.lower())
        assert caught.value.field == "code"
        refused += 1
        clock.advance(seconds=60)
        store.accounts.reset_factors("alice", actor="test")
    print(f"codes accepted: {accepted} of 10; used codes refused: {refused} of 10")
    assert (accepted, refused) == (10, 10)
    assert tags(store, alice.id).count("backup-code:used") == 10


def test_a_used_code_leaves_the_factor_on_and_tells(store: Store, alice: Person, clock: StillClock) -> None:
    codes = enrol(store, clock, alice.token).codes
    configure_mail(store)
    store.sign_in.with_code(ticket_for(store), codes[0])
    status = store.two_factor.status(alice.token)
    assert (status.is_enabled, status.codes_left) == (True, 9)
    assert [job.kind for job in queued(store)] == ["backup-code:used"]


def test_three_left_are_few(store: Store, alice: Person, clock: StillClock) -> None:
    codes = enrol(store, clock, alice.token).codes
    low = []
    for code in codes:
        store.sign_in.with_code(ticket_for(store), code)
        status = store.two_factor.status(alice.token)
        low.append((status.codes_left, status.codes_are_low))
    assert low == [(left, left <= 3) for left in range(9, -1, -1)]
    with pytest.raises(CodeAlreadyUsed):
        store.sign_in.with_code(ticket_for(store), codes[0])


def test_new_codes_take_the_place_of_the_old(store: Store, alice: Person, clock: StillClock) -> None:
    old = enrol(store, clock, alice.token).codes
    configure_mail(store)
    store.sign_in.with_code(ticket_for(store), old[0])
    new = store.two_factor.renew_codes(alice.token)
    assert not set(new) & set(old)
    assert store.two_factor.status(alice.token).codes_left == 10
    still_good = 0
    for code in old:
        ticket = ticket_for(store)
        with pytest.raises(WrongCode):
            store.sign_in.with_code(ticket, code)
        store.accounts.reset_factors("alice", actor="test")
    print(f"old codes accepted after new ones were made: {still_good} of 10")
    for code in new:
        store.sign_in.with_code(ticket_for(store), code)
    assert tags(store, alice.id).count("backup-codes:renewed") == 1
    assert "backup-codes:renewed" in [job.kind for job in queued(store)]


def test_only_slow_hashes_are_stored(store: Store, alice: Person, clock: StillClock) -> None:
    codes = enrol(store, clock, alice.token).codes
    stored = repr(contents(store))
    for code in codes:
        for part in (code, code.replace("-", ""), code[:9], code.replace("-", "")[:8], code.replace("-", "")[8:]):
            assert part not in stored
    with store.database.read() as tx:
        hashes = tx.execute(select(BackupCode.c.code_hash)).scalars().all()
    assert len(set(hashes)) == 10
    assert all(one.startswith("$argon2id$") for one in hashes)


def test_a_code_of_another_account_cannot_be_claimed(
    store: Store, alice: Person, bob: Person, clock: StillClock
) -> None:
    enrol(store, clock, alice.token)
    codes = BackupCodes(store.context)
    with store.database.write() as tx:
        code_id = tx.execute(select(BackupCode.c.id).limit(1)).scalar_one()
        with pytest.raises(CodeAlreadyUsed):
            codes.claim(tx, bob.id, code_id)
