"""Passkey ceremonies: what is in order passes, and everything else is refused with one sentence."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from webauthn.helpers import exceptions as library

from gateway import webauthn_ceremony as ceremony
from gateway.relying_party import RelyingParty, relying_party_problems
from gateway.webauthn_ceremony import (
    authentication_options,
    credential_id_of,
    registration_options,
    verify_authentication,
    verify_registration,
)
from store.errors import PasskeyRefused
from store.passkeys import StoredCredential
from tests.fakes.soft_authenticator import Passkey, SoftAuthenticator, b64, cose_key, unb64

PARTY = RelyingParty("gateway.example", "https://gateway.example")
CHALLENGE = bytes(range(32))
OTHER_CHALLENGE = bytes(32)
USER = b"user-handle-of-alice"

Answer = dict[str, Any]


class Device:
    """A soft authenticator, and one passkey registered with it."""

    def __init__(self, party: RelyingParty = PARTY) -> None:
        self.party = party
        self.authenticator = SoftAuthenticator(party.origin)
        answer = self.authenticator.create(self.registration())
        self.credential = verify_registration(party, challenge=CHALLENGE, answer=answer)

    @property
    def passkey(self) -> Passkey:
        return self.authenticator.passkeys[-1]

    def stored(self, **changes: Any) -> StoredCredential:
        known: dict[str, Any] = {
            "passkey_id": 1,
            "account_id": 1,
            "credential_id": self.credential.credential_id,
            "public_key": self.credential.public_key,
            "sign_count": self.credential.sign_count,
            "user_handle": USER,
        }
        return StoredCredential(**{**known, **changes})

    def registration(self) -> Answer:
        return registration_options(
            self.party, challenge=CHALLENGE, user_handle=USER, username="alice", exclude=[b"first", b"second"]
        )

    def get(self, **faults: Any) -> Answer:
        return self.authenticator.get(authentication_options(self.party, challenge=CHALLENGE), **faults)

    def create(self, **faults: Any) -> Answer:
        return self.authenticator.create(self.registration(), **faults)


@pytest.fixture(scope="module")
def device() -> Device:
    return Device()


# -- the options ---------------------------------------------------------------------------------------------


def test_registration_asks_for_a_verified_resident_key() -> None:
    options = registration_options(PARTY, challenge=CHALLENGE, user_handle=USER, username="alice", exclude=[b"first"])
    json.dumps(options)
    assert options["rp"] == {"name": "Gatekey", "id": "gateway.example"}
    assert options["user"] == {"id": b64(USER), "name": "alice", "displayName": "alice"}
    assert options["challenge"] == b64(CHALLENGE)
    assert options["timeout"] == 120_000
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert [each["id"] for each in options["excludeCredentials"]] == [b64(b"first")]
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [-7, -8, -257]


def test_authentication_asks_for_a_verified_user() -> None:
    options = authentication_options(PARTY, challenge=CHALLENGE, allow=[b"first"])
    json.dumps(options)
    assert options["rpId"] == "gateway.example"
    assert options["userVerification"] == "required"
    assert options["timeout"] == 120_000
    assert [each["id"] for each in options["allowCredentials"]] == [b64(b"first")]
    assert authentication_options(PARTY, challenge=CHALLENGE)["allowCredentials"] == []


# -- in order ------------------------------------------------------------------------------------------------


def test_a_registration_in_order_gives_a_credential(device: Device) -> None:
    credential = device.credential
    assert credential.credential_id == device.authenticator.passkeys[0].credential_id
    assert cbor2.loads(credential.public_key) == cose_key(device.authenticator.passkeys[0].key)
    assert credential.aaguid == "00000000-0000-0000-0000-000000000000"
    assert credential.transports == ("hybrid", "internal")
    assert (credential.sign_count, credential.backed_up) == (0, False)


def test_a_sign_in_in_order_gives_the_counter() -> None:
    device = Device()
    for expected in (1, 2):
        answer = device.get()
        assert credential_id_of(answer) == device.credential.credential_id
        found = verify_authentication(PARTY, challenge=CHALLENGE, answer=answer, stored=device.stored())
        assert (found.sign_count, found.backed_up) == (expected, False)


def test_a_synced_passkey_stays_at_zero(device: Device) -> None:
    answer = device.create(synced=True)
    assert verify_registration(PARTY, challenge=CHALLENGE, answer=answer).backed_up
    device.authenticator.passkeys.pop()
    found = verify_authentication(
        PARTY, challenge=CHALLENGE, answer=device.get(synced=True, counter=0), stored=device.stored()
    )
    assert (found.sign_count, found.backed_up) == (0, True)


def test_a_passkey_that_names_no_user_is_known_by_its_id(device: Device) -> None:
    answer = device.get()
    del answer["response"]["userHandle"]
    verify_authentication(PARTY, challenge=CHALLENGE, answer=answer, stored=device.stored())


def test_a_key_that_vouches_for_itself_is_taken() -> None:
    device = Device()
    answer = device.create()
    data = cbor2.loads(unb64(answer["response"]["attestationObject"]))["authData"]
    signed = data + hashlib.sha256(unb64(answer["response"]["clientDataJSON"])).digest()
    signature = device.passkey.key.sign(signed, ec.ECDSA(hashes.SHA256()))
    packed = {"fmt": "packed", "attStmt": {"alg": -7, "sig": signature}, "authData": data}
    answer["response"]["attestationObject"] = b64(cbor2.dumps(packed))
    credential = verify_registration(PARTY, challenge=CHALLENGE, answer=answer)
    assert credential.credential_id == device.passkey.credential_id


# -- out of order --------------------------------------------------------------------------------------------


def with_id(answer: Answer, **changes: str) -> Answer:
    return {**answer, **changes}


def with_response(answer: Answer, **changes: object) -> Answer:
    return {**answer, "response": {**answer["response"], **changes}}


REGISTRATIONS: dict[str, Callable[[Device], Answer]] = {
    "another challenge": lambda d: d.create(challenge=OTHER_CHALLENGE),
    "a sign-in in place of a registration": lambda d: d.create(type="webauthn.get"),
    "another origin": lambda d: d.create(origin="https://evil.example"),
    "a sub-domain of the origin": lambda d: d.create(origin="https://a.gateway.example"),
    "the origin over http": lambda d: d.create(origin="http://gateway.example"),
    "another relying party": lambda d: d.create(rp_id="evil.example"),
    "user not present": lambda d: d.create(user_present=False),
    "user not verified": lambda d: d.create(user_verified=False),
    "inside a frame": lambda d: d.create(cross_origin=True),
    "certified by a stranger": lambda d: d.create(
        attestation={"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x", "x5c": [b"x"]}}
    ),
    "vouched for with a wrong signature": lambda d: d.create(
        attestation={"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x"}}
    ),
    "a TPM statement": lambda d: d.create(attestation={"fmt": "tpm", "attStmt": {"ver": "2.0"}}),
    "none with a statement": lambda d: d.create(attestation={"fmt": "none", "attStmt": {"sig": b"x"}}),
    "a point off the curve": lambda d: d.create(
        public_key={1: 2, 3: -7, -1: 1, -2: bytes(31) + b"\1", -3: bytes(31) + b"\1"}
    ),
    "an algorithm not asked for": lambda d: d.create(public_key={**cose_key(d.passkey.key), 3: -36}),
    "a key of an unknown type": lambda d: d.create(public_key={1: 9, 3: -7}),
    "a key without an algorithm": lambda d: d.create(public_key={1: 2}),
    "a key that is too long": lambda d: d.create(public_key={1: 3, 3: -257, -1: b"\xff" * 2048, -2: b"\1\0\1"}),
    "a key that is a list": lambda d: d.create(public_key=[1, 2]),
    "a key that is a number": lambda d: d.create(public_key=7),
    "a key with numbers for points": lambda d: d.create(public_key={1: 2, 3: -7, -1: 1, -2: 5, -3: 5}),
    "a key on a list of curves": lambda d: d.create(public_key={**cose_key(d.passkey.key), -1: [1]}),
    "an id that is too long": lambda d: d.create(credential_id=b"i" * 1024),
    "an attestation that is a list": lambda d: with_response(d.create(), attestationObject=b64(cbor2.dumps([1]))),
    "an attestation that is a number": lambda d: with_response(d.create(), attestationObject=b64(cbor2.dumps(1))),
    "a statement that is a number": lambda d: d.create(attestation={"fmt": "packed", "attStmt": 7}),
    "a statement with numbers": lambda d: d.create(attestation={"fmt": "packed", "attStmt": {"alg": [1], "sig": 7}}),
    "a format that is a number": lambda d: d.create(attestation={"fmt": 7, "attStmt": {}}),
    "client data that is a list": lambda d: with_response(d.create(), clientDataJSON=b64(b"[1]")),
    "client data with numbers": lambda d: with_response(
        d.create(), clientDataJSON=b64(b'{"type": 1, "challenge": 2, "origin": 3}')
    ),
    "client data nested without end": lambda d: with_response(d.create(), clientDataJSON=b64(b"[" * 100_000)),
    "an id that is not the key's": lambda d: with_id(d.create(), id=b64(b"other"), rawId=b64(b"other")),
    "id and raw id apart": lambda d: with_id(d.create(), rawId=b64(b"other")),
    "an assertion": lambda d: d.get(),
}

ASSERTIONS: dict[str, Callable[[Device], Answer]] = {
    "another challenge": lambda d: d.get(challenge=OTHER_CHALLENGE),
    "a registration in place of a sign-in": lambda d: d.get(type="webauthn.create"),
    "another origin": lambda d: d.get(origin="https://evil.example"),
    "a sub-domain of the origin": lambda d: d.get(origin="https://a.gateway.example"),
    "another port of the origin": lambda d: d.get(origin="https://gateway.example:8443"),
    "another relying party": lambda d: d.get(rp_id="evil.example"),
    "user not present": lambda d: d.get(user_present=False),
    "user not verified": lambda d: d.get(user_verified=False),
    "inside a frame": lambda d: d.get(cross_origin=True),
    "another key": lambda d: d.get(signer=ec.generate_private_key(ec.SECP256R1())),
    "another user": lambda d: d.get(user_handle=b"user-handle-of-bob"),
    "an empty user": lambda d: d.get(user_handle=b""),
    "another credential's id": lambda d: with_id(d.get(), id=b64(b"other"), rawId=b64(b"other")),
    "id and raw id apart": lambda d: with_id(d.get(), rawId=b64(b"other")),
    "a user handle that is no base64url": lambda d: with_response(d.get(), userHandle="a"),
    "a changed counter": lambda d: with_response(
        d.get(), authenticatorData=raised(d.get()["response"]["authenticatorData"])
    ),
    "no signature": lambda d: with_response(d.get(), signature=""),
    "a registration": lambda d: d.create(),
}


def raised(data: str) -> str:
    raw = unb64(data)
    return b64(raw[:33] + (9999).to_bytes(4) + raw[37:])


@pytest.mark.parametrize("make", REGISTRATIONS.values(), ids=REGISTRATIONS.keys())
def test_a_registration_out_of_order_is_refused(make: Callable[[Device], Answer]) -> None:
    answer = make(Device())
    with pytest.raises(PasskeyRefused):
        verify_registration(PARTY, challenge=CHALLENGE, answer=answer)


@pytest.mark.parametrize("make", ASSERTIONS.values(), ids=ASSERTIONS.keys())
def test_a_sign_in_out_of_order_is_refused(make: Callable[[Device], Answer]) -> None:
    device = Device()
    stored = device.stored()
    answer = make(device)
    with pytest.raises(PasskeyRefused):
        verify_authentication(PARTY, challenge=CHALLENGE, answer=answer, stored=stored)


@pytest.mark.parametrize("answer", [None, [], "x", 7, {}, {"id": 7}, {"id": ""}, {"id": "a"}, {"id": "A" * 5000}])
def test_an_answer_of_another_shape_is_refused(answer: object, device: Device) -> None:
    with pytest.raises(PasskeyRefused):
        credential_id_of(answer)
    with pytest.raises(PasskeyRefused):
        verify_registration(PARTY, challenge=CHALLENGE, answer=answer)
    with pytest.raises(PasskeyRefused):
        verify_authentication(PARTY, challenge=CHALLENGE, answer=answer, stored=device.stored())


def test_a_missing_verification_says_what_to_set_up(device: Device) -> None:
    with pytest.raises(PasskeyRefused, match="PIN, fingerprint or face"):
        verify_registration(PARTY, challenge=CHALLENGE, answer=Device().create(user_verified=False))
    with pytest.raises(PasskeyRefused, match="PIN, fingerprint or face"):
        verify_authentication(
            PARTY, challenge=CHALLENGE, answer=device.get(user_verified=False), stored=device.stored()
        )


@pytest.mark.parametrize("name", ["a TPM statement", "certified by a stranger", "a key that is too long"])
def test_a_kind_of_key_that_is_not_accepted_is_named_as_such(name: str) -> None:
    with pytest.raises(PasskeyRefused, match="kind of passkey"):
        verify_registration(PARTY, challenge=CHALLENGE, answer=REGISTRATIONS[name](Device()))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_changed_bytes_are_refused_calmly(data: st.DataObject) -> None:
    is_registration = data.draw(st.booleans())
    answer = CREATED if is_registration else GOT
    name = data.draw(st.sampled_from(sorted(set(answer["response"]) - {"transports"})))
    raw = bytearray(unb64(answer["response"][name]))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    changed = with_response(answer, **{name: b64(bytes(raw))})
    with contextlib.suppress(PasskeyRefused):
        if is_registration:
            verify_registration(PARTY, challenge=CHALLENGE, answer=changed)
        else:
            verify_authentication(PARTY, challenge=CHALLENGE, answer=changed, stored=FUZZED.stored())
            assert name == "userHandle" or changed == answer


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["id", "rawId", "type", "response", "authenticatorAttachment"]), SCALARS),
    st.dictionaries(
        st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]),
        SCALARS | st.lists(SCALARS, max_size=2),
    ),
)
def test_changed_members_are_refused_calmly(outer: Answer, inner: Answer) -> None:
    for answer in (CREATED, GOT):
        changed = {**with_response(answer, **inner), **outer}
        with contextlib.suppress(PasskeyRefused):
            verify_registration(PARTY, challenge=CHALLENGE, answer=changed)
        with contextlib.suppress(PasskeyRefused):
            verify_authentication(PARTY, challenge=CHALLENGE, answer=changed, stored=FUZZED.stored())


def test_every_error_of_the_library_is_in_the_table() -> None:
    kinds = [kind for kind in vars(library).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 15
    table = ceremony._REFUSALS
    assert [kind for kind in kinds if not any(issubclass(kind, each) for each in table)] == []
    seen: list[type[Exception]] = []
    for each in table:
        assert not any(issubclass(each, earlier) for earlier in seen), each
        seen.append(each)


# -- where passkeys work -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rp_id", "origin", "public_url"),
    [
        ("gateway.example", "https://gateway.example", ""),
        ("example.com", "https://gateway.example.com", "https://gateway.example.com"),
        ("localhost", "http://localhost:8787", "http://localhost:8787/"),
        ("gateway.example", "https://gateway.example:443", "https://GATEWAY.example"),
    ],
)
def test_settings_that_work_have_no_problem(rp_id: str, origin: str, public_url: str) -> None:
    assert relying_party_problems(rp_id, origin, public_url) == ()


@pytest.mark.parametrize(
    ("rp_id", "origin", "public_url", "words"),
    [
        ("", "https://gateway.example", "", "passkeys.rp_id is not set"),
        ("gateway.example", "", "", "passkeys.origin is not set"),
        ("127.0.0.1", "http://127.0.0.1:8787", "", "refuse an IP address"),
        ("localhost", "http://[::1]:8787", "", "refuse an IP address"),
        ("gateway.example", "http://gateway.example", "", "over https only"),
        ("gateway.example", "https://evil.example", "", "neither evil.example nor a domain above it"),
        ("gateway.example", "https://notgateway.example", "", "nor a domain above it"),
        ("a.gateway.example", "https://gateway.example", "", "nor a domain above it"),
        ("intranet", "https://intranet", "", "a single label"),
        ("gateway.example", "https://gateway.example", "https://www.gateway.example", "public_url leads to"),
    ],
)
def test_settings_that_do_not_work_are_explained(rp_id: str, origin: str, public_url: str, words: str) -> None:
    assert words in " ".join(relying_party_problems(rp_id, origin, public_url))


FUZZED = Device()
CREATED = FUZZED.create()
FUZZED.authenticator.passkeys.pop()
GOT = FUZZED.get()
