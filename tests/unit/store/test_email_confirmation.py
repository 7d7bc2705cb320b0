"""Notification addresses: none but the account's own is written to before a code from there was entered here."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from store.email_confirmation import ATTEMPTS_PER_CODE, CODE_DIGITS, CODE_LIFETIME, CODES_PER_HOUR
from store.errors import InvalidSetting, TooManyAttempts, WrongCode
from store.models import Account
from store.outbox import TEST, Job
from store.sections import Channel, NotificationSettings
from store.store import Store
from store.values.notifications import CONFIRM_EMAIL, EmailRoute
from tests.harness.people import Person, contents, prove, tags
from tests.harness.quota_calls import spend_quota
from tests.harness.stores import StillClock, sign_in

OWN = "alice@example.com"
OTHER = "pager@example.com"


def choose(store: Store, alice: Person, address: str = OTHER, version: int = 1) -> None:
    prove(store, alice.token)
    store.settings.save(alice.token, NotificationSettings(email_address=address), version)


def sent(store: Store, alice: Person) -> Job:
    """The message that Send test puts into the outbox."""
    (job,) = store.outbox.lease(delivery_id=store.outbox.enqueue_test(alice.token, Channel.EMAIL))
    return job


def code(store: Store, alice: Person) -> str:
    job = sent(store, alice)
    assert (job.kind, job.recipient) == (CONFIRM_EMAIL, OTHER)
    return str(job.payload["code"])


def test_another_address_is_used_once_its_code_is_entered(store: Store, alice: Person) -> None:
    assert store.email_confirmations.route(alice.token) == EmailRoute(OWN, "")
    choose(store, alice)
    assert store.email_confirmations.route(alice.token) == EmailRoute(OWN, OTHER)
    typed = code(store, alice)
    assert len(typed) == CODE_DIGITS
    assert store.email_confirmations.confirm(alice.token, f" {typed[:4]} {typed[4:]} ") == EmailRoute(OTHER, "")
    assert "notification-email:confirmed" in tags(store, alice.id)
    assert sent(store, alice).kind == TEST


def test_the_accounts_own_address_needs_no_code(store: Store, alice: Person) -> None:
    choose(store, alice, OWN.upper())
    assert store.email_confirmations.route(alice.token) == EmailRoute(OWN, "")
    assert sent(store, alice).kind == TEST
    with pytest.raises(InvalidSetting), store.database.write() as tx:
        store.email_confirmations.send_code(tx, alice.id)


def test_without_an_address_of_its_own_an_account_has_none_until_then(store: Store, alice: Person) -> None:
    with store.database.write() as tx:
        tx.execute(update(Account).values(email=""))
    choose(store, alice)
    assert store.email_confirmations.route(alice.token) == EmailRoute("", OTHER)
    store.email_confirmations.confirm(alice.token, code(store, alice))
    assert store.email_confirmations.route(alice.token) == EmailRoute(OTHER, "")


def test_another_address_after_that_needs_a_code_of_its_own(store: Store, alice: Person) -> None:
    choose(store, alice)
    store.email_confirmations.confirm(alice.token, code(store, alice))
    choose(store, alice, "third@example.com", 2)
    assert store.email_confirmations.route(alice.token) == EmailRoute(OWN, "third@example.com")
    choose(store, alice, OTHER, 3)
    assert store.email_confirmations.route(alice.token) == EmailRoute(OTHER, "")


def test_a_code_for_one_address_confirms_no_other(store: Store, alice: Person) -> None:
    choose(store, alice)
    typed = code(store, alice)
    choose(store, alice, "third@example.com", 2)
    with pytest.raises(WrongCode):
        store.email_confirmations.confirm(alice.token, typed)
    assert store.email_confirmations.route(alice.token) == EmailRoute(OWN, "third@example.com")
    assert "notification-email:confirmed" not in tags(store, alice.id)
    choose(store, alice, OTHER, 3)
    assert store.email_confirmations.confirm(alice.token, typed) == EmailRoute(OTHER, "")


def test_it_is_known_whether_a_code_can_be_entered(store: Store, alice: Person, clock: StillClock) -> None:
    choose(store, alice)
    assert not store.email_confirmations.route(alice.token).is_code_out
    code(store, alice)
    assert store.email_confirmations.route(alice.token) == EmailRoute(OWN, OTHER, is_code_out=True)
    clock.time += CODE_LIFETIME
    assert not store.email_confirmations.route(alice.token).is_code_out


def test_a_new_code_takes_back_the_one_that_was_not_sent_yet(store: Store, alice: Person) -> None:
    choose(store, alice)
    store.outbox.enqueue_test(alice.token, Channel.EMAIL)
    newest = store.outbox.enqueue_test(alice.token, Channel.EMAIL)
    assert [job.delivery_id for job in store.outbox.lease()] == [newest]


def test_a_warning_queued_meanwhile_does_not_change_the_code(store: Store, alice: Person) -> None:
    choose(store, alice)
    delivery = store.outbox.enqueue_test(alice.token, Channel.EMAIL)
    spend_quota(store, alice.id, 4_500_000)
    (job,) = store.outbox.lease(delivery_id=delivery)
    store.email_confirmations.confirm(alice.token, str(job.payload["code"]))


def test_wrong_codes_use_a_code_up(store: Store, alice: Person) -> None:
    choose(store, alice)
    typed = code(store, alice)
    wrong = f"{(int(typed) + 1) % 10**CODE_DIGITS:0{CODE_DIGITS}}"
    for attempt in (wrong, "\udcff", "x" * 1000, "\u0661" * CODE_DIGITS, typed[:-1]):
        with pytest.raises(WrongCode):
            store.email_confirmations.confirm(alice.token, attempt)
    with pytest.raises(WrongCode):
        store.email_confirmations.confirm(alice.token, typed)
    assert ATTEMPTS_PER_CODE == 5
    store.email_confirmations.confirm(alice.token, code(store, alice))


def test_a_code_ends_after_half_an_hour_and_with_the_next_one(store: Store, alice: Person, clock: StillClock) -> None:
    choose(store, alice)
    first = code(store, alice)
    second = code(store, alice)
    with pytest.raises(WrongCode):
        store.email_confirmations.confirm(alice.token, first)
    clock.time += CODE_LIFETIME
    prove(store, alice.token)
    with pytest.raises(WrongCode):
        store.email_confirmations.confirm(alice.token, second)


def test_a_stranger_gets_three_codes_an_hour(store: Store, alice: Person, clock: StillClock) -> None:
    choose(store, alice)
    for _ in range(CODES_PER_HOUR):
        code(store, alice)
    before = contents(store)
    with pytest.raises(TooManyAttempts) as refused:
        store.outbox.enqueue_test(alice.token, Channel.EMAIL)
    assert refused.value.retry_after == timedelta(hours=1)
    assert contents(store) == before
    clock.advance(hours=1)
    person = Person(alice.id, alice.name, sign_in(store))
    code(store, person)


def test_no_code_is_stored(store: Store, alice: Person) -> None:
    choose(store, alice)
    typed = code(store, alice)
    assert typed not in repr(contents(store))


def test_an_administrator_sends_and_confirms_for_an_account(store: Store, alice: Person) -> None:
    choose(store, alice)
    assert store.email_confirmations.send_code_for(alice.id) == OTHER
    (job,) = store.outbox.lease()
    with pytest.raises(WrongCode):
        store.email_confirmations.confirm_for(alice.id, "nonsense", actor="unix root")
    route = store.email_confirmations.confirm_for(alice.id, str(job.payload["code"]), actor="unix root")
    assert route == EmailRoute(OTHER, "")
