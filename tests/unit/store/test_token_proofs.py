"""A proof that comes with a bearer token: right for one account until a credential changes, throttled, and noted."""

from typing import Any

import pytest

from store import passwords
from store.audit_tags import Tag
from store.errors import (
    CodeAlreadyUsed,
    InvalidToken,
    NotEnabled,
    TooManyAttempts,
    WrongCode,
    WrongOriginalPassword,
)
from store.hashing import Hasher
from store.store import Store
from store.throttle import FREE_FAILURES
from store.token_proofs import SOURCE, Proof
from tests.harness.people import Person, code_at, contents, enrol
from tests.harness.stores import PASSWORD, StillClock

OTHER_PASSWORD = "another horse, a better battery"


@pytest.fixture
def token(store: Store, alice: Person) -> str:
    return store.access_token.generate(alice.token).token


def holds(store: Store, proof: Proof, person: Person) -> bool:
    with store.database.write() as tx:
        return proof.holds(tx, person.id)


def newest(store: Store, person: Person) -> tuple[str, str, dict[str, object]]:
    with store.database.read() as tx:
        event = store.audit.page(tx, person.id, limit=1)[0]
    return event.tag, event.source, dict(event.detail)


def test_a_password_proves_its_own_account_and_no_other(store: Store, alice: Person, bob: Person, token: str) -> None:
    proof = store.proofs.with_password(token, PASSWORD)
    assert newest(store, alice) == (Tag.PROVED, SOURCE, {"method": "password"})
    assert holds(store, proof, alice)
    assert not holds(store, proof, bob)


def test_a_code_proves_once(store: Store, clock: StillClock, alice: Person, token: str) -> None:
    secret = enrol(store, clock, alice.token).secret
    token = store.access_token.generate(alice.token).token
    code = code_at(secret, clock)
    proof = store.proofs.with_code(token, code)
    assert newest(store, alice) == (Tag.PROVED, SOURCE, {"method": "authenticator code"})
    assert holds(store, proof, alice)
    with pytest.raises(CodeAlreadyUsed):
        store.proofs.with_code(token, code)
    assert newest(store, alice)[:2] == (Tag.PROOF_FAILED, SOURCE)


def test_a_credential_that_changed_ends_the_proof(store: Store, alice: Person, token: str) -> None:
    proof = store.proofs.with_password(token, PASSWORD)
    store.passwords.reset("alice", OTHER_PASSWORD, actor="root")
    assert not holds(store, proof, alice)


def test_a_credential_that_changes_while_the_password_is_checked_ends_the_request(
    store: Store, alice: Person, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Hasher.check_password

    def change_meanwhile(self: Hasher, *given: Any) -> Any:
        answer = check(self, *given)
        store.passwords.reset("alice", OTHER_PASSWORD, actor="root")
        return answer

    monkeypatch.setattr(Hasher, "check_password", change_meanwhile)
    with pytest.raises(InvalidToken):
        store.proofs.with_password(token, PASSWORD)
    assert newest(store, alice)[0] != Tag.PROVED


@pytest.mark.parametrize("wrong", ["", "wrong", PASSWORD + "x", "x" * (passwords.MAX_LENGTH + 1)], ids=len)
def test_a_wrong_password_proves_nothing_and_is_noted(store: Store, alice: Person, token: str, wrong: str) -> None:
    with pytest.raises(WrongOriginalPassword) as refused:
        store.proofs.with_password(token, wrong)
    assert refused.value.field == "proof"
    assert newest(store, alice)[:2] == (Tag.PROOF_FAILED, SOURCE)


def test_a_wrong_code_proves_nothing_and_is_noted(store: Store, clock: StillClock, alice: Person) -> None:
    right = code_at(enrol(store, clock, alice.token).secret, clock)
    token = store.access_token.generate(alice.token).token
    with pytest.raises(WrongCode):
        store.proofs.with_code(token, f"{(int(right) + 1) % 1_000_000:06}")
    assert newest(store, alice)[:2] == (Tag.PROOF_FAILED, SOURCE)
    store.proofs.with_code(token, right)


def test_without_a_second_factor_there_is_no_code(store: Store, token: str) -> None:
    before = contents(store)
    with pytest.raises(NotEnabled):
        store.proofs.with_code(token, "123456")
    assert contents(store) == before


def test_a_token_nobody_has_opens_nothing(store: Store, alice: Person, token: str) -> None:
    store.access_token.revoke(alice.token)
    before = contents(store)
    for unknown in (token, "gk_nobody", ""):
        with pytest.raises(InvalidToken):
            store.proofs.with_password(unknown, PASSWORD)
        with pytest.raises(InvalidToken):
            store.proofs.with_code(unknown, "123456")
    assert contents(store) == before


def test_guesses_are_throttled_and_a_right_one_forgives_them(store: Store, clock: StillClock, token: str) -> None:
    for _ in range(2):
        for _ in range(FREE_FAILURES - 1):
            with pytest.raises(WrongOriginalPassword):
                store.proofs.with_password(token, "wrong")
        store.proofs.with_password(token, PASSWORD)
    for _ in range(FREE_FAILURES):
        with pytest.raises(WrongOriginalPassword):
            store.proofs.with_password(token, "wrong")
    with pytest.raises(TooManyAttempts):
        store.proofs.with_password(token, PASSWORD)
