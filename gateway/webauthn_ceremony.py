"""The two passkey ceremonies as pure functions: make options, verify a browser's answer (WebAuthn level 3, section 7).

The caller keeps the challenge: 32 random bytes, valid once and for two minutes, claimed from the store before the
answer is verified. The store checks and advances the signature counter, in one UPDATE.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers import exceptions as webauthn_errors
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.relying_party import RelyingParty
from store.errors import PasskeyRefused
from store.passkeys import NewCredential, StoredCredential

TIMEOUT_MS: Final = 120_000
"""Milliseconds a browser may wait for the person: the lifetime of the challenge."""

MAX_CREDENTIAL_ID_BYTES: Final = 1023
"""Limit of WebAuthn level 3, 7.1, step 25."""

MAX_PUBLIC_KEY_BYTES: Final = 1500
"""RSA with 8,192 bits fits."""

ALGORITHMS: Final = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
"""Accepted key types, in order of preference. Together they cover every authenticator on sale (5.4.1)."""

_MALFORMED: Final = PasskeyRefused.sentence
_KEY_TYPE_REFUSED: Final = "This device makes a kind of passkey that is not accepted. Use another device."
_USER_NOT_VERIFIED: Final = (
    "The device did not check that it was you. Set up its PIN, fingerprint or face unlock, then start again."
)

_REFUSALS: Final[Mapping[type[Exception], str]] = {
    webauthn_errors.UnsupportedAlgorithm: _KEY_TYPE_REFUSED,
    webauthn_errors.UnsupportedPublicKeyType: _KEY_TYPE_REFUSED,
    webauthn_errors.UnsupportedPublicKey: _KEY_TYPE_REFUSED,
    webauthn_errors.UnsupportedEC2Curve: _KEY_TYPE_REFUSED,
    UnsupportedAlgorithm: _KEY_TYPE_REFUSED,
    webauthn_errors.WebAuthnException: _MALFORMED,
    ValueError: _MALFORMED,  # invalid base64url, or numbers that are no point on the curve
    TypeError: _MALFORMED,  # CBOR or JSON of an unexpected shape
    LookupError: _MALFORMED,
    AttributeError: _MALFORMED,
    RecursionError: _MALFORMED,
}
"""Exceptions that py_webauthn raises for a malformed answer, and the sentence for each.

The first match applies, so subclasses precede their base classes.
"""


@dataclass(frozen=True, slots=True)
class Assertion:
    """The result of a verified sign-in."""

    sign_count: int
    """Always zero for a passkey that is synced between devices (6.1.1)."""
    backed_up: bool


def registration_options(
    party: RelyingParty,
    *,
    challenge: bytes,
    user_handle: bytes,
    username: str,
    exclude: Sequence[bytes] = (),
) -> dict[str, Any]:
    """The options for `navigator.credentials.create()`, as JSON (5.4).

    `user_handle` is random and reveals nothing about the account (14.6.1). `exclude` lists the ids of the account's
    passkeys: a device that holds one of them refuses to make a second.
    """
    options = generate_registration_options(
        rp_id=party.rp_id,
        rp_name=party.name,
        user_id=user_handle,
        user_name=username,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in exclude],
        supported_pub_key_algs=list(ALGORITHMS),
    )
    return options_to_json_dict(options)


def authentication_options(party: RelyingParty, *, challenge: bytes, allow: Sequence[bytes] = ()) -> dict[str, Any]:
    """The options for `navigator.credentials.get()`, as JSON (5.5).

    Without `allow`, the person chooses among the passkeys that the browser knows for this relying party.
    """
    options = generate_authentication_options(
        rp_id=party.rp_id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allow],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def verify_registration(party: RelyingParty, *, challenge: bytes, answer: object) -> NewCredential:
    """Verify the answer of `create()` (7.1). Raises only PasskeyRefused.

    Attestation is not requested and proves nothing here. Only "none" and self attestation are accepted, so that no
    certificate from outside is parsed.
    """
    with _refusing_malformed():
        credential = parse_registration_credential_json(_json_object(answer))
        _refuse_other_frames(credential.response.client_data_json)
        attestation = parse_attestation_object(credential.response.attestation_object)
        if attestation.fmt not in ("none", "packed") or attestation.att_stmt.x5c:
            raise PasskeyRefused(_KEY_TYPE_REFUSED)
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            supported_pub_key_algs=list(ALGORITHMS),
        )
        # The library accepts any two numbers as a point. A key that cannot be loaded would fail at each sign-in.
        decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key))
        _require(verified.user_verified, _USER_NOT_VERIFIED)
        _require(verified.credential_id == credential.raw_id)
        _require(len(verified.credential_id) <= MAX_CREDENTIAL_ID_BYTES)
        _require(len(verified.credential_public_key) <= MAX_PUBLIC_KEY_BYTES, _KEY_TYPE_REFUSED)
        return NewCredential(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            aaguid=verified.aaguid,
            transports=tuple(sorted({each.value for each in credential.response.transports or ()})),
            backed_up=verified.credential_backed_up,
        )


def credential_id_of(answer: object) -> bytes:
    """The credential id that an answer of `get()` names, for the look-up before its verification.

    Raises PasskeyRefused.
    """
    with _refusing_malformed():
        claimed = _json_object(answer).get("id")
        _require(isinstance(claimed, str) and 0 < len(claimed) <= 2 * MAX_CREDENTIAL_ID_BYTES)
        return base64url_to_bytes(str(claimed))


def verify_authentication(
    party: RelyingParty, *, challenge: bytes, answer: object, stored: StoredCredential
) -> Assertion:
    """Verify the answer of `get()` against the credential it names (7.2). Raises only PasskeyRefused.

    The counter is returned unchecked: it means something only after the signature is verified, and only the store can
    compare and advance it in one step.
    """
    with _refusing_malformed():
        credential = parse_authentication_credential_json(_json_object(answer))
        _refuse_other_frames(credential.response.client_data_json)
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            credential_public_key=stored.public_key,
            # Zero disables the library's own comparison. It runs before the signature check, so anyone without the key
            # could have a passkey reported as copied.
            credential_current_sign_count=0,
        )
        _require(verified.user_verified, _USER_NOT_VERIFIED)
        _require(credential.raw_id == stored.credential_id)
        # 7.2, step 6: a discoverable credential names its user, who must be the credential's owner.
        _require(credential.response.user_handle in (None, stored.user_handle))
        return Assertion(verified.new_sign_count, verified.credential_backed_up)


@contextmanager
def _refusing_malformed() -> Iterator[None]:
    try:
        yield
    except tuple(_REFUSALS) as error:
        raise PasskeyRefused(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    return next(sentence for kind, sentence in _REFUSALS.items() if isinstance(error, kind))


def _require(condition: bool, sentence: str = _MALFORMED) -> None:
    if not condition:
        raise PasskeyRefused(sentence)


def _json_object(answer: object) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise PasskeyRefused
    return answer


def _refuse_other_frames(client_data: bytes) -> None:
    """Refuse an answer from a frame (13.4.2): the passkey page is never framed."""
    _require(not parse_client_data_json(client_data).cross_origin)
