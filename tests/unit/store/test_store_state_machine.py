"""An account's whole life, act by act, beside a model of what should happen: nothing may differ."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from sqlalchemy import func, select, update

from store.errors import (
    AlreadyBound,
    AlreadySettled,
    BindingsDisabled,
    CodeAlreadyUsed,
    FreshProofRequired,
    GatekeyError,
    IdentityRefused,
    InvalidApiKey,
    InvalidLabel,
    InvalidMoney,
    InvalidToken,
    LastCredential,
    ModelNotPriced,
    NoSuchItem,
    NotEnabled,
    PasskeyRefused,
    PasskeysDisabled,
    QuotaExceeded,
    SameAsOldPassword,
    SessionEnded,
    SignInExpired,
    SpendLimitReached,
    StepMissing,
    UsernameDoesNotMatch,
    WrongCode,
    WrongCredentials,
    WrongOriginalPassword,
)
from store.models import Account as AccountRow
from store.models import OutboxMessage, UsageEntryRow
from store.quota_warnings import QUOTA_WARNING
from store.reservations import Hold
from store.sections import NotificationSettings, PriceSettings, PrivacySettings
from store.values.api_keys import ApiKeyLimits, NewApiKey
from store.values.billing import QuotaState
from store.values.sections import SettingsConflict
from store.values.sign_in import SecondFactorNeeded, SignedIn
from store.values.usage import Kind, UsageEntry
from tests.harness.people import allow_bindings, allow_passkeys, code_at, contents, credential
from tests.harness.quota_calls import book_call, hold_quota, spend_quota
from tests.harness.repeatable_search import run_lives
from tests.harness.stores import StillClock, add_account, make_store, sign_in
from tests.unit.store import account_model
from tests.unit.store.account_model import Refusal, Session, Setup

T = TypeVar("T")

PASSWORDS = ("correct horse battery staple", "wholly different horse battery", "a third and equally fine one")
START_MONEY = 5_000_000
FREE = 10**9
ENTRY = UsageEntry(Kind.CONSUMPTION, "gpt-5", client_ip="203.0.113.77")
CALL = st.integers(0, 3_000_000)


class Key:
    """An API key and what the model knows of it."""

    def __init__(self, made: NewApiKey, limit: int | None) -> None:
        self.made, self.limit = made, limit
        self.spent = self.held = 0
        self.is_revoked = False


class Reservation:
    def __init__(self, hold: Hold, held: int, key: Key | None) -> None:
        self.hold, self.held, self.key = hold, held, key
        self.is_settled = False


class AccountsLife(RuleBasedStateMachine):
    """`steps` counts acts over all runs, for the figure."""

    steps = 0

    sessions: Bundle[Session] = Bundle("sessions")
    keys: Bundle[Key] = Bundle("keys")
    reservations: Bundle[Reservation] = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.clock = StillClock()
        self.store = make_store(clock=self.clock)
        self.all_sessions: list[Session] = []
        self.old_tokens: list[str] = []
        self.codes_seen: list[str] = []
        self.all_keys: list[Key] = []
        self.sources = self.credentials = 0

    def teardown(self) -> None:
        with self.store:
            assert self.store.sessions.whoami(self.bystander).name == "bob"
            assert self.bystander_rows() == self.bystander_before

    # -- helpers -------------------------------------------------------------------------------------------------

    def expect(self, refusal: Refusal, act: Callable[[], T]) -> T | None:
        """Do `act`; it must be refused with exactly `refusal`, or be done."""
        type(self).steps += 1
        if refusal is None:
            return act()
        with pytest.raises(GatekeyError) as caught:
            act()
        assert type(caught.value) is refusal, f"{type(caught.value).__name__} instead of {refusal.__name__}"
        return None

    def source(self) -> str:
        self.sources += 1
        return f"pts/{self.sources}"

    def admitted(self, answer: SignedIn | SecondFactorNeeded | None) -> MultipleResults[Session]:
        """A session, where a first factor opened one; a ticket is kept by the model."""
        if answer is None:
            return multiple()
        if isinstance(answer, SecondFactorNeeded):
            assert self.account.factor is not None
            self.account.open_ticket(answer.ticket)
            return multiple()
        assert self.account.factor is None
        return multiple(self.opened(answer.token))

    def opened(self, token: str) -> Session:
        session = self.account.open_session(token)
        self.all_sessions.append(session)
        return session

    def bystander_rows(self) -> dict[str, Any]:
        """Bob's rows, which no act of alice may touch."""
        watched = ("accounts", "quotas", "notification_settings", "price_settings", "audit_heads")
        stored = contents(self.store)
        return {name: [row for row in stored[name] if row[0] == self.bob] for name in watched}

    # -- the beginning -------------------------------------------------------------------------------------------

    @initialize(target=sessions)
    def begin(self) -> Session:
        info = add_account(self.store)
        self.id = info.id
        self.account = account_model.Account(self.clock, PASSWORDS[0], account_model.Money(self.clock, START_MONEY))
        allow_passkeys(self.store)
        allow_bindings(self.store)
        self.bob = add_account(self.store, "bob").id
        self.bystander = sign_in(self.store, "bob")
        self.bystander_before = self.bystander_rows()
        return self.opened(sign_in(self.store))

    # -- time ----------------------------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1.1, 1.1, 2, 4, 6, 11, 70]))
    def time_passes(self, minutes: float) -> None:
        self.clock.advance(minutes=minutes)
        if minutes > 60:
            self.bystander = sign_in(self.store, "bob", source=self.source())
            self.bystander_before = self.bystander_rows()
        self.store.sessions.whoami(self.bystander)

    # -- signing in ----------------------------------------------------------------------------------------------

    @rule(target=sessions, password=st.sampled_from(PASSWORDS))
    def sign_in(self, password: str) -> MultipleResults[Session]:
        refusal = self.account.guess("password")
        if refusal is None and (self.account.is_deleted or password != self.account.password):
            refusal = WrongCredentials
        answer = self.expect(refusal, lambda: self.store.sign_in.with_password("alice", password, source=self.source()))
        if refusal is None:
            self.account.right("password")
        return self.admitted(answer)

    @rule(target=sessions)
    def sign_in_with_passkey(self) -> MultipleResults[Session]:
        if not self.account.passkeys_allowed:
            self.expect(PasskeysDisabled, lambda: self.store.ceremonies.begin_sign_in(source=self.source()))
            return multiple()
        started = self.store.ceremonies.begin_sign_in(source=self.source())
        ceremony = self.store.passkey_verification.claim(started.code)
        wanted = next(iter(self.account.passkeys), 0)
        refusal = None if wanted else PasskeyRefused
        found = self.expect(refusal, lambda: self.store.passkeys.find(self.credential_of(wanted)))
        if found is None:
            return multiple()
        self.store.passkey_verification.finish_assertion(ceremony, found, 0)
        return self.admitted(self.store.ceremonies.collect_sign_in(started.ticket, source="here"))

    @rule(target=sessions)
    def sign_in_with_identity(self) -> MultipleResults[Session]:
        refusal: Refusal = None if self.account.is_bound else IdentityRefused
        if not self.account.bindings_allowed:
            refusal = BindingsDisabled
        return self.admitted(self.expect(refusal, lambda: self.store.bindings.sign_in("github", "4711", source="here")))

    @precondition(lambda self: self.account.tickets)
    @rule(target=sessions, data=st.data())
    def finish_sign_in(self, data: st.DataObject) -> MultipleResults[Session]:
        ticket = data.draw(st.sampled_from(self.account.tickets))
        code, is_totp = self.some_code(data)
        refusal: Refusal = SignInExpired
        if self.account.is_open(ticket):
            refusal = self.second_factor(code, is_totp)
        answer = self.expect(refusal, lambda: self.store.sign_in.with_code(ticket.text, code))
        if answer is None:
            return multiple()
        ticket.is_used = True
        self.claim(code, is_totp)
        return multiple(self.opened(answer.token))

    def some_code(self, data: st.DataObject) -> tuple[str, bool]:
        """A code to type: the authenticator's, a backup code of any set, or nonsense."""
        factor = self.account.factor
        choices = ["nonsense"]
        choices += ["authenticator"] * 2 if factor is not None else []
        choices += ["unused"] * 2 if self.account.unused() else []
        choices += ["seen"] if self.codes_seen else []
        match data.draw(st.sampled_from(choices)):
            case "authenticator" if factor is not None:
                return code_at(factor.secret, self.clock), True
            case "unused":
                return data.draw(st.sampled_from(self.account.unused())), False
            case "seen":
                return data.draw(st.sampled_from(self.codes_seen)), False
            case _:
                return "nonsense", False

    def second_factor(self, code: str, is_totp: bool) -> Refusal:
        """The error of a refused second factor; a guess is counted."""
        factor = self.account.factor
        if factor is None:
            return NotEnabled
        refusal = self.account.guess("second")
        if refusal is not None:
            return refusal
        if is_totp:
            return CodeAlreadyUsed if self.account.step() <= factor.last_step else None
        if code not in factor.used:
            return WrongCode
        return CodeAlreadyUsed if factor.used[code] else None

    def claim(self, code: str, is_totp: bool) -> None:
        factor = self.account.factor
        assert factor is not None
        if is_totp:
            factor.last_step = self.account.step()
        else:
            factor.used[code] = True
        self.account.right("second")

    # -- sessions ------------------------------------------------------------------------------------------------

    @rule(session=sessions, password=st.sampled_from(PASSWORDS))
    def prove_with_password(self, session: Session, password: str) -> None:
        refusal: Refusal = None
        if not self.account.is_alive(session):
            refusal = SessionEnded
        else:
            refusal = self.account.guess("password")
            if refusal is None and password != self.account.password:
                refusal = WrongOriginalPassword
        self.expect(refusal, lambda: self.store.sign_in.prove_with_password(session.token, password))
        if refusal is None:
            self.account.right("password")
            self.account.note_proof(session)

    @rule(session=sessions, data=st.data())
    def prove_with_code(self, session: Session, data: st.DataObject) -> None:
        code, is_totp = self.some_code(data)
        refusal: Refusal = SessionEnded
        if self.account.is_alive(session):
            refusal = self.second_factor(code, is_totp)
        self.expect(refusal, lambda: self.store.sign_in.prove_with_code(session.token, code))
        if refusal is None:
            self.claim(code, is_totp)
            self.account.note_proof(session)

    @rule(session=sessions)
    def lock(self, session: Session) -> None:
        self.expect(None, lambda: self.store.sessions.lock(session.token))
        session.is_locked, session.proof_at = True, None

    @rule(session=sessions)
    def sign_out(self, session: Session) -> None:
        self.expect(None, lambda: self.store.sessions.end(session.token))
        session.is_ended = True

    @rule(session=sessions)
    def sign_out_others(self, session: Session) -> None:
        refusal = self.account.refusal(session)
        self.expect(refusal, lambda: self.store.sessions.sign_out_others(session.token))
        if refusal is None:
            self.account.change_credentials(session)

    # -- the password --------------------------------------------------------------------------------------------

    @rule(session=sessions, original=st.sampled_from(PASSWORDS), new=st.sampled_from(PASSWORDS))
    def change_password(self, session: Session, original: str, new: str) -> None:
        refusal = self.account.refusal(session)
        if refusal is None and self.account.password is None:
            refusal = self.account.refusal(session, proof=True)
        elif refusal is None:
            refusal = self.account.guess("password")
            if refusal is None and original != self.account.password:
                refusal = WrongOriginalPassword
            if refusal is None and original == new:
                refusal = SameAsOldPassword
        self.expect(refusal, lambda: self.store.passwords.change(session.token, original, new, new))
        if refusal is None:
            self.account.password = new
            self.account.right("password")
            self.account.change_credentials(session)
            self.account.note_proof(session)

    @precondition(lambda self: not self.account.is_deleted and self.account.ways_in() > 1)
    @rule()
    def live_without_a_password(self) -> None:
        """As an account that an administrator made for a passkey or an identity alone."""
        with self.store.database.write() as tx:
            tx.execute(update(AccountRow).where(AccountRow.c.id == self.id).values(password_hash=None))
        self.account.password = None

    # -- the second factor ---------------------------------------------------------------------------------------

    @rule(session=sessions)
    def begin_two_factor(self, session: Session) -> None:
        refusal = self.account.refusal(session)
        refusal = refusal or self.account.enabled_refusal() or self.account.refusal(session, proof=True)
        enrolment = self.expect(refusal, lambda: self.store.two_factor.begin(session.token))
        if enrolment is not None:
            self.account.setup = Setup(enrolment, self.clock.now() + account_model.SETUP)

    @rule(session=sessions, is_right=st.booleans())
    def save_codes(self, session: Session, is_right: bool) -> None:
        setup, refusal = self.account.pending(), self.account.refusal(session)
        if refusal is None and setup is None:
            refusal = SignInExpired
        elif refusal is None:
            refusal = self.account.guess("second") or (None if is_right else WrongCode)
        code = setup.enrolment.codes[3] if setup is not None and is_right else "nonsense"
        self.expect(refusal, lambda: self.store.two_factor.confirm_saved(session.token, code))
        if refusal is None and setup is not None:
            self.account.right("second")
            setup.is_saved = True

    @rule(session=sessions, is_right=st.booleans())
    def complete_two_factor(self, session: Session, is_right: bool) -> None:
        setup, refusal = self.account.pending(), self.account.refusal(session)
        if refusal is None and setup is None:
            refusal = SignInExpired
        elif refusal is None and setup is not None and not setup.is_saved:
            refusal = StepMissing
        elif refusal is None:
            refusal = self.account.guess("second")
            refusal = refusal or (None if is_right else WrongCode) or self.account.refusal(session, proof=True)
        code = code_at(setup.enrolment.secret, self.clock) if setup is not None and is_right else "12345"
        self.expect(refusal, lambda: self.store.two_factor.complete(session.token, code))
        if refusal is None and setup is not None:
            unused = dict.fromkeys(setup.enrolment.codes, False)
            self.account.factor = account_model.Factor(setup.enrolment.secret, self.account.step(), unused)
            self.account.setup = None
            self.new_codes(setup.enrolment.codes, session)

    def new_codes(self, codes: tuple[str, ...], session: Session) -> None:
        self.codes_seen += codes[:3]
        self.account.right("second")
        self.account.change_credentials(session)

    @rule(session=sessions)
    def cancel_two_factor(self, session: Session) -> None:
        refusal = self.account.refusal(session)
        self.expect(refusal, lambda: self.store.two_factor.cancel(session.token))
        if refusal is None:
            self.account.setup = None

    @rule(session=sessions)
    def disable_two_factor(self, session: Session) -> None:
        refusal = self.account.refusal(session)
        if refusal is None and self.account.factor is None:
            refusal = NotEnabled
        refusal = refusal or self.account.refusal(session, proof=True)
        self.expect(refusal, lambda: self.store.two_factor.disable(session.token))
        if refusal is None:
            self.account.factor = None
            self.new_codes((), session)

    @rule(session=sessions)
    def renew_codes(self, session: Session) -> None:
        refusal = self.account.refusal(session)
        if refusal is None and self.account.factor is None:
            refusal = NotEnabled
        refusal = refusal or self.account.refusal(session, proof=True)
        codes = self.expect(refusal, lambda: self.store.two_factor.renew_codes(session.token))
        if codes is not None and self.account.factor is not None:
            self.account.factor.used = dict.fromkeys(codes, False)
            self.new_codes(codes, session)

    # -- tokens and keys -----------------------------------------------------------------------------------------

    @rule(session=sessions)
    def generate_token(self, session: Session) -> None:
        refusal = self.account.refusal(session, proof=True)
        made = self.expect(refusal, lambda: self.store.access_token.generate(session.token))
        if made is not None:
            self.forget_token()
            self.account.access_token = made.token

    @rule(session=sessions)
    def revoke_token(self, session: Session) -> None:
        refusal = self.account.refusal(session, proof=True)
        if refusal is None and self.account.access_token is None:
            refusal = NotEnabled
        self.expect(refusal, lambda: self.store.access_token.revoke(session.token))
        if refusal is None:
            self.forget_token()

    def forget_token(self) -> None:
        if self.account.access_token is not None:
            self.old_tokens.append(self.account.access_token)
        self.account.access_token = None

    @rule(target=keys, session=sessions, limit=st.sampled_from([None, 500_000, 2_000_000]))
    def create_key(self, session: Session, limit: int | None) -> MultipleResults[Key]:
        refusal = self.account.refusal(session, proof=True)
        made = self.expect(
            refusal,
            lambda: self.store.api_keys.create(session.token, "laptop", ApiKeyLimits(spend_limit_micro_usd=limit)),
        )
        if made is None:
            return multiple()
        key = Key(made, limit)
        self.all_keys.append(key)
        return multiple(key)

    @rule(session=sessions, key=keys)
    def revoke_key(self, session: Session, key: Key) -> None:
        refusal = self.account.refusal(session)
        if refusal is None and key.is_revoked:
            refusal = NoSuchItem
        self.expect(refusal, lambda: self.store.api_keys.revoke(session.token, key.made.info.id))
        key.is_revoked = key.is_revoked or refusal is None

    # -- passkeys and identities ---------------------------------------------------------------------------------

    def credential_of(self, passkey_id: int) -> bytes:
        return credential(self.credential_numbers.get(passkey_id, 0)).credential_id

    @property
    def credential_numbers(self) -> dict[int, int]:
        numbers: dict[int, int] = self.__dict__.setdefault("_numbers", {})
        return numbers

    @rule(session=sessions, label=st.sampled_from(["Phone", "Laptop", "Key"]))
    def add_passkey(self, session: Session, label: str) -> None:
        self.credentials += 1
        refusal: Refusal = None if self.account.passkeys_allowed else PasskeysDisabled
        refusal = refusal or self.account.refusal(session, proof=True)
        if refusal is None and label in self.account.passkeys.values():
            refusal = InvalidLabel
        passkey_id = self.expect(
            refusal, lambda: self.store.passkeys.add(session.token, label.lower(), credential(self.credentials))
        )
        if passkey_id is not None:
            self.account.passkeys[passkey_id] = label
            self.credential_numbers[passkey_id] = self.credentials
            self.account.change_credentials(session)

    @rule(session=sessions, data=st.data())
    def remove_passkey(self, session: Session, data: st.DataObject) -> None:
        passkey_id = data.draw(st.sampled_from([*self.account.passkeys, 4711]))
        refusal = self.account.refusal(session, proof=True)
        if refusal is None and passkey_id not in self.account.passkeys:
            refusal = NoSuchItem
        if refusal is None and self.account.passkeys_allowed and self.account.ways_in() == 1:
            refusal = LastCredential
        if refusal is None and self.account.ways_in() == 0:
            refusal = LastCredential
        self.expect(refusal, lambda: self.store.passkeys.remove(session.token, passkey_id))
        if refusal is None:
            del self.account.passkeys[passkey_id]
            self.account.change_credentials(session)

    @rule(session=sessions)
    def bind(self, session: Session) -> None:
        refusal: Refusal = None if self.account.bindings_allowed else BindingsDisabled
        refusal = refusal or self.account.refusal(session, proof=True)
        if refusal is None and self.account.is_bound:
            refusal = AlreadyBound
        self.expect(refusal, lambda: self.store.bindings.bind(session.token, "github", "4711", "octocat"))
        if refusal is None:
            self.account.is_bound = True
            self.account.change_credentials(session)

    @precondition(lambda self: not self.account.is_deleted)
    @rule(session=sessions)
    def unbind(self, session: Session) -> None:
        bindings = contents(self.store)["bindings"]
        binding_id = bindings[0][0] if bindings else 4711
        refusal = self.account.refusal(session, proof=True)
        if refusal is None and not self.account.is_bound:
            refusal = NoSuchItem
        counts = self.account.is_bound and self.account.bindings_allowed
        if refusal is None and self.account.ways_in() - int(counts) == 0:
            refusal = LastCredential
        self.expect(refusal, lambda: self.store.bindings.unbind(session.token, binding_id))
        if refusal is None:
            self.account.is_bound = False
            self.account.change_credentials(session)

    @rule(passkeys=st.booleans(), bindings=st.booleans())
    def administrator_decides(self, passkeys: bool, bindings: bool) -> None:
        self.store.site.set("passkeys.enabled", str(passkeys))
        self.store.site.set("account_binding.enabled", str(bindings))
        self.account.passkeys_allowed, self.account.bindings_allowed = passkeys, bindings

    # -- settings ------------------------------------------------------------------------------------------------

    def save_refusal(self, session: Session, name: str, behind: int) -> Refusal:
        refusal = self.account.refusal(session)
        return refusal or (SettingsConflict if behind else None)

    @rule(session=sessions, accept=st.booleans(), behind=st.sampled_from([0, 0, 0, 1]))
    def save_price(self, session: Session, accept: bool, behind: int) -> None:
        refusal = self.save_refusal(session, "price", behind)
        if refusal is None and accept and not self.account.accepts_unpriced:
            refusal = FreshProofRequired if self.account.refusal(session, proof=True) else None
        version = self.account.versions["price"] - behind
        saved = self.expect(refusal, lambda: self.store.settings.save(session.token, PriceSettings(accept), version))
        if saved is not None:
            self.account.versions["price"] += 1
            self.account.accepts_unpriced = accept
            assert saved.section.accept_unpriced_models is accept

    @rule(session=sessions, record=st.booleans(), behind=st.sampled_from([0, 0, 0, 1]))
    def save_privacy(self, session: Session, record: bool, behind: int) -> None:
        refusal = self.save_refusal(session, "privacy", behind)
        version = self.account.versions["privacy"] - behind
        saved = self.expect(refusal, lambda: self.store.settings.save(session.token, PrivacySettings(record), version))
        if saved is not None:
            self.account.versions["privacy"] += 1
            self.account.records_ip = record

    @rule(
        session=sessions,
        threshold=st.sampled_from([0, 1_000_000, 2_000_000, 4_999_999]),
        address=st.sampled_from(["", "", "warn@example.com"]),
        behind=st.sampled_from([0, 0, 0, 1]),
    )
    def save_notifications(self, session: Session, threshold: int, address: str, behind: int) -> None:
        refusal = self.save_refusal(session, "notifications", behind)
        is_lowered = threshold < self.account.money.threshold
        if refusal is None and (address != self.address or is_lowered):
            refusal = FreshProofRequired if self.account.refusal(session, proof=True) else None
        section = NotificationSettings(threshold_micro_usd=threshold, email_address=address)
        version = self.account.versions["notifications"] - behind
        saved = self.expect(refusal, lambda: self.store.settings.save(session.token, section, version))
        if saved is not None:
            self.account.versions["notifications"] += 1
            self.address = address
            money = self.account.money
            money.is_armed = money.is_armed or threshold != money.threshold
            money.threshold = threshold

    address = ""

    # -- money ---------------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.account.is_deleted)
    @rule(target=reservations, amount=CALL, data=st.data())
    def reserve(self, amount: int, data: st.DataObject) -> MultipleResults[Reservation]:
        key: Key | None = data.draw(st.sampled_from([None, *self.all_keys]))
        money = self.account.money
        refusal: Refusal = None
        if money.remaining - money.held < amount or money.remaining == 0:
            refusal = QuotaExceeded
        elif key is not None and key.limit is not None and key.spent + key.held + amount > key.limit:
            refusal = SpendLimitReached
        key_id = key.made.info.id if key is not None else None
        hold = self.expect(refusal, lambda: hold_quota(self.store, self.id, amount, api_key_id=key_id))
        if hold is None:
            return multiple()
        money.held += amount
        if key is not None:
            key.held += amount
        return multiple(Reservation(hold, amount, key))

    @rule(reservation=reservations, cost=CALL)
    def settle(self, reservation: Reservation, cost: int) -> None:
        refusal = AlreadySettled if reservation.is_settled or self.account.is_deleted else None
        taken = self.expect(refusal, lambda: book_call(self.store, reservation.hold, cost, ENTRY))
        if refusal is not None:
            return
        reservation.is_settled = True
        assert taken == self.account.money.take(cost, reservation.held)
        self.account.addresses_kept += self.account.records_ip
        if reservation.key is not None:
            reservation.key.held -= reservation.held
            reservation.key.spent += taken

    @precondition(lambda self: not self.account.is_deleted)
    @rule(cost=CALL)
    def charge(self, cost: int) -> None:
        money = self.account.money
        refusal = QuotaExceeded if money.remaining - money.held < cost or money.remaining == 0 else None
        self.expect(refusal, lambda: spend_quota(self.store, self.id, cost))
        if refusal is None:
            money.take(cost)

    @precondition(lambda self: not self.account.is_deleted)
    @rule(amount=st.integers(-1_000_000, 3_000_000))
    def adjust_the_quota(self, amount: int) -> None:
        money = self.account.money
        refusal = InvalidMoney if money.remaining + amount < 0 else None
        self.expect(refusal, lambda: self.store.quota.adjust("alice", add=amount, actor="root"))
        if refusal is None:
            money.adjust(amount)

    @precondition(lambda self: not self.account.is_deleted)
    @rule()
    def call_an_unpriced_model(self) -> None:
        refusal = None if self.account.accepts_unpriced else ModelNotPriced
        self.expect(refusal, lambda: self.store.pricing.admit(self.id, "new-model"))

    # -- the end -------------------------------------------------------------------------------------------------

    @rule(session=sessions, typed=st.sampled_from(["alice", "alice", "Alice", ""]), is_sure=st.integers(0, 3))
    def delete(self, session: Session, typed: str, is_sure: int) -> None:
        if is_sure and typed == "alice":
            return  # a life that ends at once shows little
        refusal = self.account.refusal(session)
        if refusal is None and typed != "alice":
            refusal = self.account.guess("password") or UsernameDoesNotMatch
        refusal = refusal or self.account.refusal(session, proof=True)
        self.expect(refusal, lambda: self.store.deletion.delete(session.token, typed))
        if refusal is None:
            self.account.is_deleted = True
            self.account.is_bound, self.account.passkeys = False, {}
            self.account.factor = self.account.setup = None
            self.account.guesses = {"password": account_model.Guesses(), "second": account_model.Guesses()}
            self.forget_token()
            for key in self.all_keys:
                key.is_revoked = True

    # -- what always holds ---------------------------------------------------------------------------------------

    @invariant()
    def sessions_are_as_they_should_be(self) -> None:
        for session in self.all_sessions:
            refusal = self.account.refusal(session)
            self.expect(refusal, lambda session=session: self.store.sessions.whoami(session.token))  # type: ignore[misc]
            if refusal is None and self.clock.now() - session.last_active_at >= timedelta(minutes=1):
                session.last_active_at = self.clock.now()

    @invariant()
    def one_token_at_most_is_valid(self) -> None:
        for old in self.old_tokens:
            self.expect(InvalidToken, lambda old=old: self.store.access_token.authenticate(old))  # type: ignore[misc]
        if self.account.access_token is not None:
            assert self.store.access_token.authenticate(self.account.access_token).name == "alice"
        for key in self.all_keys:
            refusal = InvalidApiKey if key.is_revoked else None
            self.expect(refusal, lambda key=key: self.store.api_keys.authenticate(key.made.key))  # type: ignore[misc]

    @precondition(lambda self: not self.account.is_deleted)
    @invariant()
    def the_account_is_as_it_should_be(self) -> None:
        account, money = self.account, self.account.money
        with self.store.database.read() as tx:
            status = self.store.two_factor.status_of(tx, self.id)
            assert status.is_enabled == (account.factor is not None)
            assert status.codes_left == len(account.unused())
            assert self.store.quota.state_of(tx, self.id) == QuotaState(money.remaining, money.held, money.used)
            assert self.store.settings.read(tx, self.id, PriceSettings).version == account.versions["price"]
            assert self.store.settings.read(tx, self.id, PrivacySettings).version == account.versions["privacy"]
            notifications = self.store.settings.read(tx, self.id, NotificationSettings)
            assert notifications.version == account.versions["notifications"]
            assert self.store.audit.verify(tx, self.id) is None
            warnings = select(func.count()).where(OutboxMessage.c.kind == QUOTA_WARNING)
            assert tx.execute(warnings).scalar_one() == money.warnings
            kept = select(func.count()).where(UsageEntryRow.c.client_ip.is_not(None))
            assert tx.execute(kept).scalar_one() == account.addresses_kept

    @precondition(lambda self: self.account.is_deleted)
    @invariant()
    def nothing_is_left_of_a_deleted_account(self) -> None:
        left = {name for name, rows in contents(self.store).items() for row in rows if "alice" in row}
        assert left == set()
        assert all(row[0] != self.id for row in contents(self.store)["accounts"])


def run(examples: int, steps: int, *, is_repeatable: bool) -> None:
    AccountsLife.steps = 0
    run_lives(AccountsLife, examples, steps, is_repeatable=is_repeatable)
    print(f"an account's life: 0 divergences in {AccountsLife.steps} acts of {examples} lives of {steps} steps")


@pytest.mark.one_interpreter
def test_a_life_goes_as_the_model_says() -> None:
    run(30, 40, is_repeatable=True)


@pytest.mark.long
def test_five_hundred_lives_go_as_the_model_says() -> None:
    run(500, 50, is_repeatable=False)
