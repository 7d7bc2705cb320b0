"""The site may ask for longer passwords where there is no second factor: of new ones at once, of old ones in words."""

import pytest
from sqlalchemy import update

from store.errors import (
    InvalidSetting,
    PasswordNeeded,
    PasswordTooShort,
    StaleEdit,
    TooManyAttempts,
    WrongOriginalPassword,
)
from store.models import Account
from store.site_switches import PASSWORD_MINIMUM
from store.store import Store
from store.throttle import Factor
from store.values.sign_in import SecondFactorNeeded, SignedIn
from tests.harness.people import Person, code_at, enrol, tags
from tests.harness.stores import PASSWORD, SOURCE, StillClock

FOURTEEN = "tarn obex mvq?"
FIFTEEN = "tarn obex mvq?!"
SHORT = "kV9#qz!tW2@p"


def ask_for(store: Store, characters: int = 15) -> None:
    store.site.set(PASSWORD_MINIMUM, str(characters))


def test_today_is_the_default(store: Store) -> None:
    assert store.site.number(PASSWORD_MINIMUM) == store.passwords.shortest() == 8
    store.accounts.create("alice", SHORT, actor="test")
    for refused in ("7", "65", "0", "", "many"):
        with pytest.raises(InvalidSetting, match="8 to 64"):
            store.site.set(PASSWORD_MINIMUM, refused)


def test_a_new_account_is_asked_for_it(store: Store) -> None:
    ask_for(store)
    with pytest.raises(PasswordTooShort, match="at least 15 characters") as caught:
        store.accounts.create("alice", FOURTEEN, actor="test")
    assert (caught.value.field, caught.value.shortest) == ("password", 15)
    store.accounts.create("alice", FIFTEEN, actor="test")
    store.accounts.create("bob", None, actor="test")


def test_a_change_is_asked_for_it_unless_there_is_a_second_factor(
    store: Store, alice: Person, clock: StillClock
) -> None:
    ask_for(store)
    assert store.passwords.shortest(alice.token) == 15
    with pytest.raises(PasswordTooShort, match="at least 15 characters") as caught:
        store.passwords.change(alice.token, PASSWORD, FOURTEEN, FOURTEEN)
    assert caught.value.field == "new-password"
    store.passwords.change(alice.token, PASSWORD, FIFTEEN, FIFTEEN)
    enrol(store, clock, alice.token)
    assert store.passwords.shortest(alice.token) == 8
    store.passwords.change(alice.token, FIFTEEN, SHORT, SHORT)


def test_a_reset_is_asked_for_it_unless_there_is_a_second_factor(
    store: Store, alice: Person, clock: StillClock
) -> None:
    ask_for(store)
    with pytest.raises(PasswordTooShort) as caught:
        store.passwords.reset("alice", FOURTEEN, actor="root")
    assert caught.value.field == "password"
    store.passwords.reset("alice", FIFTEEN, actor="root")
    token = session(store, FIFTEEN)
    enrol(store, clock, token)
    store.passwords.reset("alice", SHORT, actor="root")


def test_a_factor_switched_off_meanwhile_is_noticed(
    store: Store, alice: Person, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for(store)
    enrol(store, clock, alice.token)
    hash_password = store.context.hasher.hash_password

    def meanwhile(password: str) -> str:
        monkeypatch.undo()
        store.two_factor.disable(alice.token, PASSWORD)
        return hash_password(password)

    monkeypatch.setattr(store.context.hasher, "hash_password", meanwhile)
    with pytest.raises(PasswordTooShort):
        store.passwords.change(alice.token, PASSWORD, SHORT, SHORT)
    session(store, PASSWORD)


def test_an_old_short_one_is_told_at_the_sign_in(store: Store, clock: StillClock) -> None:
    store.accounts.create("alice", SHORT, actor="test")
    assert required_length(store, SHORT) == 0
    ask_for(store)
    assert required_length(store, SHORT) == 15
    token = session(store, SHORT)
    secret = enrol(store, clock, token).secret
    answer = store.sign_in.with_password("alice", SHORT, source=SOURCE)
    assert isinstance(answer, SecondFactorNeeded)
    assert store.sign_in.with_code(answer.ticket, code_at(secret, clock)).required_length == 0
    ask_for(store, 8)
    assert store.sign_in.with_code(ticket_for_short(store), code_at(secret, clock, 1)).required_length == 0


def test_a_long_one_is_not_remarked_on(store: Store, alice: Person) -> None:
    ask_for(store, 15)
    assert required_length(store, PASSWORD) == 0


# -- switching the second factor off ----------------------------------------------------------------------------


def test_by_default_nothing_is_asked(store: Store, alice: Person, clock: StillClock) -> None:
    enrol(store, clock, alice.token)
    store.two_factor.disable(alice.token)
    assert not store.two_factor.status(alice.token).is_enabled


def test_a_long_password_may_stay_alone(store: Store, alice: Person, clock: StillClock) -> None:
    ask_for(store)
    enrol(store, clock, alice.token)
    with pytest.raises(PasswordNeeded, match="at least 15 characters"):
        store.two_factor.disable(alice.token)
    assert store.two_factor.status(alice.token).is_enabled
    store.two_factor.disable(alice.token, PASSWORD)
    assert not store.two_factor.status(alice.token).is_enabled


def test_a_short_one_has_to_be_changed_first(store: Store, clock: StillClock) -> None:
    store.accounts.create("alice", SHORT, actor="test")
    token = session(store, SHORT)
    enrol(store, clock, token)
    ask_for(store)
    with pytest.raises(PasswordTooShort, match="Change it to a longer one first"):
        store.two_factor.disable(token, SHORT)
    assert store.two_factor.status(token).is_enabled
    store.passwords.change(token, SHORT, FIFTEEN, FIFTEEN)
    store.two_factor.disable(token, FIFTEEN)
    assert not store.two_factor.status(token).is_enabled


def test_a_wrong_password_there_is_a_guess(store: Store, alice: Person, clock: StillClock) -> None:
    ask_for(store)
    enrol(store, clock, alice.token)
    for _ in range(5):
        with pytest.raises(WrongOriginalPassword):
            store.two_factor.disable(alice.token, "a wrong one that is long")
    with pytest.raises(TooManyAttempts):
        store.two_factor.disable(alice.token, PASSWORD)
    assert store.two_factor.status(alice.token).is_enabled
    assert tags(store, alice.id).count("session:proof-failed") == 5
    clock.advance(seconds=60)
    store.two_factor.disable(alice.token, PASSWORD)
    with store.database.read() as tx:
        assert store.throttles.failures(tx, Factor.PASSWORD, "alice") == 0


def test_a_password_changed_meanwhile_stops_it(
    store: Store, alice: Person, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for(store)
    enrol(store, clock, alice.token)
    check = store.context.hasher.check_password

    def meanwhile(password: str, stored: str | None) -> tuple[bool, str | None]:
        monkeypatch.undo()
        answer = check(password, stored)
        store.passwords.change(alice.token, PASSWORD, SHORT, SHORT)
        return answer

    monkeypatch.setattr(store.context.hasher, "check_password", meanwhile)
    with pytest.raises(StaleEdit):
        store.two_factor.disable(alice.token, PASSWORD)
    assert store.two_factor.status(alice.token).is_enabled


def test_without_a_password_there_is_none_to_measure(store: Store, alice: Person, clock: StillClock) -> None:
    ask_for(store)
    enrol(store, clock, alice.token)
    with store.database.write() as tx:
        tx.execute(update(Account).values(password_hash=None))
    store.two_factor.disable(alice.token)
    assert not store.two_factor.status(alice.token).is_enabled


def session(store: Store, password: str) -> str:
    answer = store.sign_in.with_password("alice", password, source=SOURCE)
    assert isinstance(answer, SignedIn)
    return answer.token


def required_length(store: Store, password: str) -> int:
    answer = store.sign_in.with_password("alice", password, source=SOURCE)
    assert isinstance(answer, SignedIn)
    return answer.required_length


def ticket_for_short(store: Store) -> str:
    answer = store.sign_in.with_password("alice", SHORT, source=SOURCE)
    assert isinstance(answer, SecondFactorNeeded)
    return answer.ticket
