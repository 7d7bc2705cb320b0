"""Ceremonies against a real store: a challenge is good once, for one purpose, one session and two minutes."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.relying_party import RelyingParty
from store.errors import ClonedPasskey, PasskeyRefused, SignInExpired
from store.values.passkeys import CeremonyStarted, CeremonyState
from store.values.sign_in import SignedIn
from tests.fakes.soft_authenticator import SoftAuthenticator
from tests.harness.ceremony_steps import CeremonySteps
from tests.harness.stores import SOURCE

PARTY = RelyingParty("gateway.example", "https://gateway.example")
ROUNDS = 100

Answer = dict[str, Any]


class DeviceSteps(CeremonySteps):
    """A gateway, and a person whose device has one passkey."""

    def __init__(self) -> None:
        super().__init__(PARTY)
        self.device = SoftAuthenticator(PARTY.origin)
        self.terminals = 0
        self.register()

    def register(self) -> CeremonyStarted:
        started = self.store.ceremonies.begin_registration(self.token, "laptop")
        self.finish(started.code, self.device.create(self.options(started.code)))
        return started

    def begin(self) -> tuple[CeremonyStarted, Answer]:
        # A terminal of its own each time: how often one may try is another test's matter.
        self.terminals += 1
        started = self.store.ceremonies.begin_sign_in(source=f"pts/{self.terminals}")
        return started, self.options(started.code)

    def sign_in(self, **faults: Any) -> CeremonyStarted:
        started, options = self.begin()
        self.finish(started.code, self.device.get(options, **faults))
        return started


@pytest.fixture
def gateway() -> Iterator[DeviceSteps]:
    made = DeviceSteps()
    yield made
    made.store.close()


def test_a_registered_passkey_signs_in(gateway: DeviceSteps) -> None:
    for _ in range(3):
        started = gateway.sign_in()
        assert gateway.store.ceremonies.outcome(started.ticket) is CeremonyState.DONE
        assert isinstance(gateway.store.ceremonies.collect_sign_in(started.ticket, source=SOURCE), SignedIn)


TABLE: dict[str, dict[str, Any]] = {
    "counter equal": {"counter": 2},
    "counter lower": {"counter": 1},
    "counter zeroed": {"counter": 0},
    "user not verified": {"user_verified": False},
    "user not present": {"user_present": False},
    "other challenge": {"challenge": bytes(32)},
    "other origin": {"origin": "https://evil.example"},
    "sub-domain of the origin": {"origin": "https://a.gateway.example"},
    "other relying party": {"rp_id": "evil.example"},
    "wrong type": {"type": "webauthn.create"},
    "other key": {"signer": ec.generate_private_key(ec.SECP256R1())},
    "other user": {"user_handle": b"somebody else"},
}


@pytest.mark.parametrize("name", TABLE)
def test_each_fault_is_refused_and_nobody_is_signed_in(gateway: DeviceSteps, name: str) -> None:
    for _ in range(2):
        gateway.sign_in()
    started, options = gateway.begin()
    is_cloned = name.startswith("counter")
    with pytest.raises(PasskeyRefused) as refused:
        gateway.finish(started.code, gateway.device.get(options, **TABLE[name]))
    assert isinstance(refused.value, ClonedPasskey) == is_cloned
    with pytest.raises(PasskeyRefused, match=str(refused.value)[:20]):
        gateway.store.ceremonies.outcome(started.ticket)
    with pytest.raises(SignInExpired):
        gateway.store.ceremonies.collect_sign_in(started.ticket, source=SOURCE)
    if not is_cloned:  # a counter that ran backwards flags the passkey for good
        gateway.sign_in()


def test_a_copied_passkey_is_flagged_and_refused_from_then_on(gateway: DeviceSteps) -> None:
    gateway.sign_in()
    with pytest.raises(ClonedPasskey):
        gateway.sign_in(counter=1)
    with pytest.raises(PasskeyRefused):
        gateway.sign_in(counter=99)
    assert [info.flagged_at is not None for info in gateway.store.passkeys.list(gateway.token)] == [True]


def test_a_stranger_without_the_key_cannot_have_a_passkey_flagged(gateway: DeviceSteps) -> None:
    gateway.sign_in()
    with pytest.raises(PasskeyRefused) as refused:
        gateway.sign_in(counter=0, signer=ec.generate_private_key(ec.SECP256R1()))
    assert not isinstance(refused.value, ClonedPasskey)
    gateway.sign_in()


def test_a_synced_passkey_signs_in_with_its_counter_at_zero(gateway: DeviceSteps) -> None:
    for _ in range(3):
        gateway.sign_in(synced=True, counter=0)


def test_an_answer_is_good_once(gateway: DeviceSteps) -> None:
    started, options = gateway.begin()
    answer = gateway.device.get(options)
    gateway.finish(started.code, answer)
    for _ in range(ROUNDS):
        again, _ = gateway.begin()
        for code in (started.code, again.code):
            with pytest.raises((SignInExpired, PasskeyRefused)):
                gateway.finish(code, answer)
    print(f"BAR F2 replayed answers accepted: 0/{2 * ROUNDS}")


def test_an_answer_that_is_late_is_refused(gateway: DeviceSteps) -> None:
    for seconds in range(120, 120 + ROUNDS):
        started, options = gateway.begin()
        answer = gateway.device.get(options)
        gateway.clock.advance(seconds=seconds)
        with pytest.raises(SignInExpired):
            gateway.finish(started.code, answer)
    print(f"BAR F2 late answers accepted: 0/{ROUNDS}")


def test_an_answer_for_one_ceremony_is_refused_by_another(gateway: DeviceSteps) -> None:
    for _ in range(ROUNDS):
        mine, options = gateway.begin()
        theirs, _ = gateway.begin()
        answer = gateway.device.get(options)
        with pytest.raises(PasskeyRefused):
            gateway.finish(theirs.code, answer)
        gateway.finish(mine.code, answer)
    print(f"BAR F2 answers accepted across sessions: 0/{ROUNDS}")


def test_registering_and_signing_in_are_not_swapped(gateway: DeviceSteps) -> None:
    for _ in range(ROUNDS // 2):
        signing, options = gateway.begin()
        registering = gateway.store.ceremonies.begin_registration(gateway.token, "phone")
        creation = gateway.options(registering.code)
        assertion = gateway.device.get(options)
        attestation = SoftAuthenticator(PARTY.origin).create(creation)
        for code, answer in ((signing.code, attestation), (registering.code, assertion)):
            with pytest.raises(PasskeyRefused):
                gateway.finish(code, answer)
    assert len(gateway.store.passkeys.list(gateway.token)) == 1
    print(f"BAR F2 answers accepted for the other purpose: 0/{ROUNDS}")
