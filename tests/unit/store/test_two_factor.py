"""Two-factor authentication: three steps, nothing on before the last, no code good twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from store.errors import (
    AlreadyEnabled,
    ClockSkewed,
    CodeAlreadyUsed,
    FreshProofRequired,
    KeyWrong,
    NotEnabled,
    SessionEnded,
    SignInExpired,
    StepMissing,
    TooManyAttempts,
    WrongCode,
)
from store.models import TwoFactor, TwoFactorSetup
from store.store import Store
from store.throttle import Factor
from store.totp import step_at
from store.two_factor import SETUP_LIFETIME
from tests.harness.people import (
    Person,
    code_at,
    configure_mail,
    contents,
    enrol,
    prove,
    queued,
    session_of,
    tags,
    ticket_for,
)
from tests.harness.stores import StillClock, sign_in

# -- enrolling --------------------------------------------------------------------------------------------------


def test_three_steps_switch_it_on(store: Store, alice: Person, clock: StillClock) -> None:
    configure_mail(store)
    enrolment = store.two_factor.begin(alice.token)
    assert (len(enrolment.codes), enrolment.expires_at) == (10, clock.now() + SETUP_LIFETIME)
    assert enrolment.secret in enrolment.uri
    assert not any(secret in repr(enrolment) for secret in (enrolment.secret, enrolment.uri, *enrolment.codes))
    assert not store.two_factor.status(alice.token).is_enabled
    store.two_factor.confirm_saved(alice.token, enrolment.codes[7].lower().replace("-", " "))
    assert not store.two_factor.status(alice.token).is_enabled
    status = store.two_factor.complete(alice.token, code_at(enrolment.secret, clock))
    assert status == store.two_factor.status(alice.token)
    assert (status.enabled_at, status.codes_left, status.codes_are_low) == (clock.now(), 10, False)
    assert tags(store, alice.id)[-1] == "two-factor:enabled"
    assert [job.kind for job in queued(store)] == ["two-factor:enabled"]


def test_the_confirming_code_cannot_sign_in(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = store.two_factor.begin(alice.token)
    store.two_factor.confirm_saved(alice.token, enrolment.codes[0])
    code = code_at(enrolment.secret, clock)
    store.two_factor.complete(alice.token, code)
    ticket = ticket_for(store)
    with pytest.raises(CodeAlreadyUsed):
        store.sign_in.with_code(ticket, code)


def test_no_step_can_be_left_out(store: Store, alice: Person, clock: StillClock) -> None:
    with pytest.raises(SignInExpired, match="This setup has ended"):
        store.two_factor.confirm_saved(alice.token, "0000-0000-0000-0000")
    with pytest.raises(SignInExpired):
        store.two_factor.complete(alice.token, "123456")
    secret = store.two_factor.begin(alice.token).secret
    with pytest.raises(StepMissing):
        store.two_factor.complete(alice.token, code_at(secret, clock))
    assert not store.two_factor.status(alice.token).is_enabled


def test_a_wrong_code_switches_nothing_on(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = store.two_factor.begin(alice.token)
    with pytest.raises(WrongCode, match="Not one of these codes"):
        store.two_factor.confirm_saved(alice.token, "0000-0000-0000-0000")
    store.two_factor.confirm_saved(alice.token, enrolment.codes[0])
    with pytest.raises(WrongCode):
        store.two_factor.complete(alice.token, "12345")
    with pytest.raises(ClockSkewed):
        store.two_factor.complete(alice.token, code_at(enrolment.secret, clock, 4))
    with pytest.raises(WrongCode):
        store.two_factor.complete(alice.token, enrolment.codes[0])
    assert not store.two_factor.status(alice.token).is_enabled
    store.two_factor.complete(alice.token, code_at(enrolment.secret, clock))
    with store.database.read() as tx:
        assert store.throttles.failures(tx, Factor.SECOND, "alice") == 0


def test_guesses_during_setup_are_counted(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = store.two_factor.begin(alice.token)
    for _ in range(5):
        with pytest.raises(WrongCode):
            store.two_factor.confirm_saved(alice.token, "nonsense")
    with pytest.raises(TooManyAttempts):
        store.two_factor.confirm_saved(alice.token, enrolment.codes[0])


def test_a_setup_lives_ten_minutes(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = store.two_factor.begin(alice.token)
    clock.time += SETUP_LIFETIME - timedelta(seconds=1)
    store.two_factor.confirm_saved(alice.token, enrolment.codes[0])
    clock.advance(seconds=1)
    with pytest.raises(SignInExpired):
        store.two_factor.complete(alice.token, code_at(enrolment.secret, clock))
    with pytest.raises(SignInExpired):
        store.two_factor.confirm_saved(alice.token, enrolment.codes[0])
    assert not store.two_factor.status(alice.token).is_enabled


def test_starting_again_takes_the_place_of_the_first(store: Store, alice: Person, clock: StillClock) -> None:
    first = store.two_factor.begin(alice.token)
    store.two_factor.confirm_saved(alice.token, first.codes[0])
    second = store.two_factor.begin(alice.token)
    with pytest.raises(StepMissing):
        store.two_factor.complete(alice.token, code_at(first.secret, clock))
    with pytest.raises(WrongCode):
        store.two_factor.confirm_saved(alice.token, first.codes[0])
    store.two_factor.confirm_saved(alice.token, second.codes[0])
    with pytest.raises(WrongCode):
        store.two_factor.complete(alice.token, code_at(first.secret, clock))
    store.two_factor.complete(alice.token, code_at(second.secret, clock))


def test_a_cancelled_setup_is_gone(store: Store, alice: Person) -> None:
    enrolment = store.two_factor.begin(alice.token)
    store.two_factor.cancel(alice.token)
    store.two_factor.cancel(alice.token)
    with pytest.raises(SignInExpired):
        store.two_factor.confirm_saved(alice.token, enrolment.codes[0])
    assert contents(store)["two_factor_setups"] == []


def test_a_setup_cancelled_meanwhile_is_not_confirmed(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = store.two_factor.begin(alice.token)
    check = store.context.hasher.check_code

    def meanwhile(code: str, stored: str) -> bool:
        monkeypatch.undo()
        store.two_factor.cancel(alice.token)
        return check(code, stored)

    monkeypatch.setattr(store.context.hasher, "check_code", meanwhile)
    with pytest.raises(SignInExpired):
        store.two_factor.confirm_saved(alice.token, enrolment.codes[0])


def test_a_setup_replaced_meanwhile_is_not_completed(
    store: Store, alice: Person, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = store.two_factor.begin(alice.token)
    store.two_factor.confirm_saved(alice.token, enrolment.codes[0])
    drift = store.two_factor._drift

    def meanwhile() -> int:
        monkeypatch.undo()
        store.two_factor.begin(alice.token)
        return drift()

    monkeypatch.setattr(store.two_factor, "_drift", meanwhile)
    with pytest.raises(SignInExpired, match="started again somewhere else"):
        store.two_factor.complete(alice.token, code_at(enrolment.secret, clock))
    assert not store.two_factor.status(alice.token).is_enabled


def test_an_active_factor_is_not_touched_by_another_setup(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = enrol(store, clock, alice.token)
    before = contents(store)
    with pytest.raises(AlreadyEnabled):
        store.two_factor.begin(alice.token)
    assert contents(store) == before
    store.sign_in.with_code(ticket_for(store), code_at(enrolment.secret, clock))


def test_completing_needs_the_proof_still(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = store.two_factor.begin(alice.token)
    store.two_factor.confirm_saved(alice.token, enrolment.codes[0])
    clock.advance(minutes=6)
    with pytest.raises(FreshProofRequired):
        store.two_factor.complete(alice.token, code_at(enrolment.secret, clock))
    prove(store, alice.token)
    store.two_factor.complete(alice.token, code_at(enrolment.secret, clock))


# -- using it ---------------------------------------------------------------------------------------------------


def test_an_older_code_is_refused_after_a_newer_one(store: Store, alice: Person, clock: StillClock) -> None:
    secret = enrol(store, clock, alice.token).secret
    clock.advance(seconds=60)
    store.sign_in.with_code(ticket_for(store), code_at(secret, clock))
    ticket = ticket_for(store)
    for step in (-1, 0):
        with pytest.raises(CodeAlreadyUsed):
            store.sign_in.with_code(ticket, code_at(secret, clock, step))
    store.sign_in.with_code(ticket, code_at(secret, clock, 1))
    with store.database.read() as tx:
        assert tx.execute(select(TwoFactor.c.last_step)).scalar_one() == step_at(clock.now()) + 1


def test_an_administrator_can_narrow_the_window(store: Store, alice: Person, clock: StillClock) -> None:
    secret = enrol(store, clock, alice.token).secret
    clock.advance(seconds=60)
    store.site.set("two_factor.drift_steps", "0")
    ticket = ticket_for(store)
    for step in (-1, 1):
        with pytest.raises(ClockSkewed):
            store.sign_in.with_code(ticket, code_at(secret, clock, step))
    store.sign_in.with_code(ticket, code_at(secret, clock))


def test_guesses_share_one_budget_wherever_they_are_made(store: Store, alice: Person, clock: StillClock) -> None:
    enrolment = enrol(store, clock, alice.token)
    ticket = ticket_for(store)
    guesses = ["1234567", "AAAA-AAAA-AAAA-AAAA"]
    for guess in guesses:
        with pytest.raises(WrongCode):
            store.sign_in.with_code(ticket, guess)
        with pytest.raises(WrongCode):
            store.sign_in.prove_with_code(alice.token, guess)
    with pytest.raises(WrongCode):
        store.sign_in.with_code(ticket, "")
    for right in (code_at(enrolment.secret, clock), enrolment.codes[3]):
        with pytest.raises(TooManyAttempts):
            store.sign_in.with_code(ticket, right)
        with pytest.raises(TooManyAttempts):
            store.sign_in.prove_with_code(alice.token, right)
    store.sign_in.prove_with_password(alice.token, "correct horse battery staple")


def test_a_moved_secret_does_not_open(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    enrol(store, clock, alice.token)
    enrol(store, clock, bob.token)
    with store.database.write() as tx:
        stolen = tx.execute(select(TwoFactor.c.secret_sealed).where(TwoFactor.c.account_id == bob.id)).scalar_one()
        tx.execute(update(TwoFactor).where(TwoFactor.c.account_id == alice.id).values(secret_sealed=stolen))
    with pytest.raises(KeyWrong):
        store.sign_in.with_code(ticket_for(store), "123456")


def test_a_setup_does_not_open_as_a_factor(store: Store, alice: Person, clock: StillClock) -> None:
    store.two_factor.begin(alice.token)
    with store.database.read() as tx:
        sealed = tx.execute(select(TwoFactorSetup.c.secret_sealed)).scalar_one()
    with pytest.raises(KeyWrong):
        store.context.ring.open(sealed, f"two_factor:secret:{alice.id}")


# -- switching it off -------------------------------------------------------------------------------------------


def test_switching_off_removes_everything(store: Store, alice: Person, clock: StillClock) -> None:
    configure_mail(store)
    enrolment = enrol(store, clock, alice.token)
    other = store.sign_in.with_code(ticket_for(store), enrolment.codes[0]).token
    store.two_factor.disable(alice.token)
    assert not store.two_factor.status(alice.token).is_enabled
    assert contents(store)["two_factor"] == contents(store)["backup_codes"] == []
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)
    session_of(store.sign_in.with_password("alice", "correct horse battery staple", source="pts/0"))
    assert tags(store, alice.id).count("two-factor:disabled") == 1
    assert [job.kind for job in queued(store)][-1] == "two-factor:disabled"


def test_off_is_not_switched_off(store: Store, alice: Person) -> None:
    with pytest.raises(NotEnabled):
        store.two_factor.disable(alice.token)
    with pytest.raises(NotEnabled):
        store.two_factor.renew_codes(alice.token)


def test_after_off_another_factor_can_be_set_up(store: Store, alice: Person, clock: StillClock) -> None:
    first = enrol(store, clock, alice.token)
    store.two_factor.disable(alice.token)
    second = enrol(store, clock, alice.token)
    assert first.secret != second.secret
    ticket = ticket_for(store)
    with pytest.raises(WrongCode):
        store.sign_in.with_code(ticket, first.codes[0])
    store.sign_in.with_code(ticket, second.codes[0])


def test_one_accounts_factor_is_not_anothers(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    sign_in(store, "bob")
    enrolment = enrol(store, clock, alice.token)
    assert store.two_factor.status(alice.token).is_enabled
    assert not store.two_factor.status(bob.token).is_enabled
    mine = enrol(store, clock, bob.token)
    ticket = ticket_for(store, "bob")
    for stolen in (enrolment.codes[0], code_at(enrolment.secret, clock)):
        with pytest.raises(WrongCode):
            store.sign_in.with_code(ticket, stolen)
    store.sign_in.with_code(ticket, mine.codes[0])
