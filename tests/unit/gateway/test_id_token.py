"""ID tokens: a good one is believed, and every tampered one is refused with the same error."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import errors as jose_errors
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from gateway import id_token
from gateway.id_token import ALGORITHMS, CLOCK_LEEWAY, verify_id_token
from store.errors import IdentityRefused

NOW = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)
ISSUER = "https://id.example"
CLIENT = "gatekey-console"
MINUTE = 60

RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
OKP = OKPKey.generate_key("Ed25519", {"kid": "okp", "use": "sig"})
ED448 = OKPKey.generate_key("Ed448", {"kid": "ed448", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
PUBLISHED: dict[str, object] = {"keys": [key.as_dict(private=False) for key in (RSA, EC, OKP, ED448)]}


def claims(**changes: Any) -> dict[str, Any]:
    moment = int(NOW.timestamp())
    good = {
        "iss": ISSUER,
        "sub": "user-1",
        "aud": CLIENT,
        "iat": moment,
        "exp": moment + 10 * MINUTE,
        "preferred_username": "alice",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(payload: dict[str, Any], key: Key = RSA, algorithm: str = "RS256", **header: object) -> str:
    full = {"alg": algorithm, "kid": key.kid, **header}
    return jwt.encode({k: v for k, v in full.items() if v is not None}, payload, key, registry=Anything())


class Anything(JWSRegistry):
    """A signer's registry that lets a test sign whatever it likes."""

    def __init__(self) -> None:
        super().__init__(strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]

    def check_header(self, header: dict[str, Any]) -> None:
        pass


def verify(token: str, keys: dict[str, object] | None = None) -> str:
    verified = verify_id_token(token, PUBLISHED if keys is None else keys, issuer=ISSUER, client_id=CLIENT, now=NOW)
    return verified.subject


def b64(data: bytes | dict[str, Any]) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(algorithm: str) -> str:
    return f"{b64({'alg': algorithm, 'kid': 'rsa'})}.{b64(claims())}."


def keyed_with_the_public_key() -> str:
    """HS256 under the published RSA key: the classic confusion (RFC 8725, 2.1)."""
    start = f"{b64({'alg': 'HS256', 'kid': 'rsa'})}.{b64(claims())}"
    mac = hmac.digest(RSA.as_pem(private=False), start.encode(), hashlib.sha256)
    return f"{start}.{b64(mac)}"


def flipped_signature() -> str:
    head, body, signature = signed(claims()).split(".")
    return f"{head}.{body}.{('B' if signature[0] == 'A' else 'A') + signature[1:]}"


def swapped_payload() -> str:
    head, _, signature = signed(claims()).split(".")
    return f"{head}.{b64(claims(sub='user-2'))}.{signature}"


def own_key_in_the_header() -> str:
    return signed(claims(), STRANGER, kid=None, jwk=STRANGER.as_dict(private=False))


def unencoded_payload() -> str:
    return signed(claims(), crit=["b64"], b64=False)


SECONDS = int(NOW.timestamp())
BEYOND = int(CLOCK_LEEWAY.total_seconds()) + 1

TAMPERED: dict[str, Callable[[], str]] = {
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "no signature": lambda: unsigned("RS256"),
    "HMAC under the public key": keyed_with_the_public_key,
    "flipped signature": flipped_signature,
    "swapped payload": swapped_payload,
    "signed by a stranger under our key id": lambda: signed(claims(), STRANGER),
    "key in the header": own_key_in_the_header,
    "key in the header beside our key id": lambda: signed(claims(), jwk=STRANGER.as_dict(private=False)),
    "unknown key id": lambda: signed(claims(), STRANGER, kid="elsewhere"),
    "signed by a stranger without a key id": lambda: signed(claims(), STRANGER, kid=None),
    "key of another type": lambda: signed(claims(), EC, "ES256", kid="rsa"),
    "critical extension": lambda: signed(claims(), crit=["exp"], exp=SECONDS + 60),
    "critical header that is known": lambda: signed(claims(), crit=["kid"]),
    "signed well, but brings a key along": lambda: signed(claims(), EC, "ES256", jwk=EC.as_dict(private=False)),
    "unencoded payload": unencoded_payload,
    "an access token": lambda: signed(claims(), typ="at+jwt"),
    "a logout token": lambda: signed(claims(), typ="logout+jwt"),
    "wrong issuer": lambda: signed(claims(iss="https://evil.example")),
    "issuer with a slash": lambda: signed(claims(iss=ISSUER + "/")),
    "issuer in a list": lambda: signed(claims(iss=[ISSUER])),
    "no issuer": lambda: signed(claims(iss=None)),
    "wrong audience": lambda: signed(claims(aud="another-client")),
    "no audience": lambda: signed(claims(aud=None)),
    "two audiences without azp": lambda: signed(claims(aud=[CLIENT, "another-client"])),
    "azp of another client": lambda: signed(claims(azp="another-client")),
    "two audiences with a foreign azp": lambda: signed(claims(aud=[CLIENT, "x"], azp="x")),
    "expired": lambda: signed(claims(exp=SECONDS - BEYOND)),
    "no expiry": lambda: signed(claims(exp=None)),
    "expiry is a text": lambda: signed(claims(exp=str(SECONDS + 600))),
    "expiry is no number": lambda: signed(claims(exp=float("nan"))),
    "issued in the future": lambda: signed(claims(iat=SECONDS + BEYOND)),
    "no issue time": lambda: signed(claims(iat=None)),
    "issue time without end": lambda: signed(claims(iat=10**400)),
    "not yet valid": lambda: signed(claims(nbf=SECONDS + BEYOND)),
    "no subject": lambda: signed(claims(sub=None)),
    "empty subject": lambda: signed(claims(sub="")),
    "numeric subject": lambda: signed(claims(sub=7)),
    "subject with a control character": lambda: signed(claims(sub="user\x1b[2J")),
    "subject beyond ASCII": lambda: signed(claims(sub="usеr-1")),
    "subject too long": lambda: signed(claims(sub="u" * 256)),
    "empty": lambda: "",
    "two parts": lambda: "a.b",
    "header is a list": lambda: f"{b64(b'[]')}.{b64(claims())}.AAAA",
    "header is a list with alg": lambda: f'{b64(b"""["alg"]""")}.{b64(claims())}.AAAA',
    "alg is an object": lambda: f"{b64({'alg': {}})}.{b64(claims())}.AAAA",
    "not ASCII": lambda: "é.é.é",
    "encrypted": lambda: "a.b.c.d.e",
    "too long": lambda: signed(claims(extra="x" * 200_000)),
}


def test_a_good_token_names_its_subject() -> None:
    verified = verify_id_token(signed(claims()), PUBLISHED, issuer=ISSUER, client_id=CLIENT, now=NOW)
    assert (verified.subject, verified.display) == ("user-1", "alice")


@pytest.mark.parametrize("tampered", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_token_is_refused(tampered: Callable[[], str]) -> None:
    with pytest.raises(IdentityRefused):
        verify(tampered())


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "RS512"), (RSA, "PS256"), (EC, "ES256"), (OKP, "EdDSA"), (OKP, "Ed25519")],
)
def test_every_usual_algorithm_is_accepted(key: Key, algorithm: str) -> None:
    assert verify(signed(claims(), key, algorithm)) == "user-1"


def test_the_provider_can_narrow_the_algorithms_but_not_widen_them() -> None:
    def check(token: str, algorithms: set[str]) -> str:
        return verify_id_token(
            token, PUBLISHED, issuer=ISSUER, client_id=CLIENT, now=NOW, algorithms=algorithms
        ).subject

    assert check(signed(claims()), {"RS256"}) == "user-1"
    for token, algorithms in [
        (signed(claims()), {"ES256"}),
        (signed(claims()), set()),
        (keyed_with_the_public_key(), {"HS256", "RS256"}),
        (unsigned("none"), {"none", "RS256"}),
        (signed(claims(), ED448, "Ed448"), {"Ed448"}),
    ]:
        with pytest.raises(IdentityRefused):
            check(token, algorithms)


def test_the_library_accepts_what_a_wide_list_would_let_in() -> None:
    # The control: the same HMAC token passes a verifier that takes the key and the algorithm as they come.
    secret = RSA.as_pem(private=False)
    start, _, mac = keyed_with_the_public_key().rpartition(".")
    assert hmac.compare_digest(b64(hmac.digest(secret, start.encode(), hashlib.sha256)), mac)
    assert "HS256" not in ALGORITHMS
    assert "none" not in ALGORITHMS


@pytest.mark.parametrize("seconds", [-int(CLOCK_LEEWAY.total_seconds()) + 1, 0, int(CLOCK_LEEWAY.total_seconds())])
def test_clocks_may_differ_by_the_leeway(seconds: int) -> None:
    assert verify(signed(claims(iat=SECONDS + seconds, exp=SECONDS + seconds))) == "user-1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iat": SECONDS + 300}, "300 seconds ahead of"),
        ({"exp": SECONDS - 900}, "900 seconds behind"),
    ],
)
def test_a_clock_that_is_off_is_explained(changes: dict[str, int], words: str) -> None:
    with pytest.raises(IdentityRefused, match=words):
        verify(signed(claims(**changes)))


def test_a_refusal_repeats_nothing_of_the_token() -> None:
    with pytest.raises(IdentityRefused) as refused:
        verify(signed(claims(iss="https://evil.example", sub="victim")))
    assert str(refused.value) == IdentityRefused.sentence


def test_a_second_audience_needs_the_authorized_party() -> None:
    assert verify(signed(claims(aud=[CLIENT, "another"], azp=CLIENT))) == "user-1"


def test_one_key_needs_no_key_id() -> None:
    assert verify(signed(claims(), kid=None), {"keys": [RSA.as_dict(private=False)]}) == "user-1"
    twice: dict[str, object] = {
        "keys": [RSA.as_dict(private=False), {**STRANGER.as_dict(private=False), "kid": "other"}]
    }
    with pytest.raises(IdentityRefused):
        verify(signed(claims(), kid=None), twice)


SMALL = {"kty": "RSA", "kid": "rsa", "e": "AQAB", "n": b64(b"\xff" * 128)}


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"keys": None},
        {"keys": [None, 7, "x", {}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]},
        {"keys": [{"kty": "oct", "kid": "rsa", "k": "AAAA"}]},
        {"keys": [{**RSA.as_dict(private=False), "use": "enc"}]},
        {"keys": [{**RSA.as_dict(private=False), "alg": "RS512"}]},
        {"keys": [{**RSA.as_dict(private=False), "key_ops": ["encrypt"]}]},
        {"keys": [{**RSA.as_dict(private=False), "kid": 7}]},
        {"keys": [SMALL]},
    ],
)
def test_a_key_set_without_a_fitting_key_proves_nothing(keys: dict[str, object]) -> None:
    with pytest.raises(IdentityRefused):
        verify(signed(claims()), keys)


def test_keys_that_are_not_understood_are_skipped() -> None:
    strange = [{"kty": "AKP", "kid": "pq"}, SMALL, {"kty": "EC", "crv": "secp256k9", "x": "AA", "y": "AA"}]
    listed = PUBLISHED["keys"]
    assert isinstance(listed, list)
    assert verify(signed(claims()), {"keys": [*strange, *listed]}) == "user-1"


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ({"preferred_username": "alice", "name": "Alice"}, "alice"),
        ({"preferred_username": " ", "name": "Alice"}, "Alice"),
        ({"preferred_username": 7, "nickname": "al"}, "al"),
        ({"preferred_username": None, "email": "alice@example.com"}, ""),
        ({"preferred_username": "a\x1b]52;c;eA\x07b"}, "a\ufffd]52;c;eA\ufffdb"),
        ({"preferred_username": "x" * 500}, "x" * 127 + "…"),
    ],
)
def test_the_display_name_is_safe_and_is_no_address(named: dict[str, object], shown: str) -> None:
    verified = verify_id_token(signed(claims(**named)), PUBLISHED, issuer=ISSUER, client_id=CLIENT, now=NOW)
    assert verified.display == shown


def test_every_jose_error_is_caught() -> None:
    kinds = [
        kind
        for kind in vars(jose_errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, Warning)
    ]
    assert len(kinds) > 25
    assert [kind for kind in kinds if not issubclass(kind, id_token._MALFORMED)] == []


@settings(max_examples=150, deadline=None)
@given(
    part=st.integers(0, 2),
    position=st.integers(0, 10_000),
    letter=st.sampled_from("AZaz09-_=+/. \x00é"),
    keep=st.booleans(),
)
def test_a_changed_character_never_passes_and_never_crashes(part: int, position: int, letter: str, keep: bool) -> None:
    parts = GOOD.split(".")
    at = position % len(parts[part])
    parts[part] = parts[part][:at] + letter + parts[part][at + keep :]
    changed = ".".join(parts)
    if changed == GOOD:
        return
    with pytest.raises(IdentityRefused):
        verify(changed)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "zip"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.text(max_size=9),
            st.lists(st.text(max_size=4)),
            st.just({}),
        ),
    ),
    st.recursive(st.one_of(st.none(), st.integers(), st.text(max_size=9)), lambda inner: st.lists(inner, max_size=3)),
)
def test_any_header_is_refused_calmly(header: dict[str, object], payload: object) -> None:
    with pytest.raises(IdentityRefused):
        verify(f"{b64(header)}.{b64(json.dumps(payload).encode())}.{b64(b'signature')}")


def test_json_nested_without_end_is_refused() -> None:
    deep = b"[" * 90_000
    with pytest.raises(IdentityRefused):
        verify(f"{b64(deep)[:500]}.{b64(deep)}.AAAA")
    # Signed by the provider itself, so that the payload is parsed at all.
    start = f"{b64({'alg': 'RS256', 'kid': 'rsa'})}.{b64(deep)}"
    signature = JWSRegistry.algorithms["RS256"].sign(start.encode(), RSA)
    with pytest.raises(IdentityRefused):
        verify(f"{start}.{b64(signature)}")


def test_time_is_the_callers() -> None:
    token = signed(claims())
    late = NOW + timedelta(hours=1)
    with pytest.raises(IdentityRefused):
        verify_id_token(token, PUBLISHED, issuer=ISSUER, client_id=CLIENT, now=late)


GOOD = signed(claims())
