"""An authenticator in software: makes ES256 passkeys and signs with them, in order or in any way out of order.

It speaks the JSON of `PublicKeyCredential.toJSON()` (WebAuthn level 3, 5.1), so that it stands in for a browser
and its authenticator at once.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT: Final = 0x01
USER_VERIFIED: Final = 0x04
BACKUP_ELIGIBLE: Final = 0x08
BACKED_UP: Final = 0x10
ATTESTED_DATA: Final = 0x40


@dataclass(frozen=True)
class Behaviour:
    """The behaviour of an answer. The defaults are in order; every other value is a fault."""

    origin: str
    rp_id: str | None = None
    """The relying party in the authenticator data; the options' own if None."""
    challenge: bytes | None = None
    """The signed challenge; the options' own if None."""
    type: str | None = None
    user_present: bool = True
    user_verified: bool = True
    synced: bool = False
    """A passkey that is copied between devices: backed up, and its counter stays at zero."""
    counter: int | None = None
    """The counter to report; the next one if None."""
    user_handle: bytes | None = None
    """Whose the passkey claims to be; its own user if None."""
    cross_origin: bool = False
    signer: ec.EllipticCurvePrivateKey | None = None
    """Another key than the passkey's own."""
    attestation: dict[str, Any] = field(default_factory=lambda: {"fmt": "none", "attStmt": {}})
    public_key: object = None
    """Another COSE key than the passkey's own."""
    credential_id: bytes | None = None
    """Another id than the authenticator would choose."""


@dataclass
class Passkey:
    """One passkey inside the authenticator."""

    rp_id: str
    credential_id: bytes
    user_handle: bytes
    key: ec.EllipticCurvePrivateKey
    counter: int = 0


class SoftAuthenticator:
    """Holds passkeys and answers for the page at `origin`."""

    def __init__(self, origin: str) -> None:
        self.usual = Behaviour(origin)
        self.passkeys: list[Passkey] = []

    def create(self, options: dict[str, Any], **faults: Any) -> dict[str, Any]:
        """Answer `navigator.credentials.create()`."""
        how = replace(self.usual, **faults)
        number = len(self.passkeys)
        passkey = Passkey(
            rp_id=how.rp_id or options["rp"]["id"],
            credential_id=how.credential_id or hashlib.sha256(f"{options['user']['id']}{number}".encode()).digest(),
            user_handle=unb64(options["user"]["id"]),
            key=ec.generate_private_key(ec.SECP256R1()),
        )
        self.passkeys.append(passkey)
        # Registration sends the counter as it is; the first sign-in reports one.
        data = self._data(passkey, how, how.counter or 0, self._attested(passkey, how))
        attestation = cbor2.dumps({**how.attestation, "authData": data})
        client_data = self._client_data("webauthn.create", options, how)
        return {
            "id": b64(passkey.credential_id),
            "rawId": b64(passkey.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": b64(client_data),
                "attestationObject": b64(attestation),
                "transports": ["internal", "hybrid", "internal"],
            },
        }

    def get(self, options: dict[str, Any], **faults: Any) -> dict[str, Any]:
        """Answer `navigator.credentials.get()` with the passkey made last."""
        how = replace(self.usual, **faults)
        passkey = self.passkeys[-1]
        counter = how.counter
        if counter is None:
            passkey.counter += 0 if how.synced else 1
            counter = passkey.counter
        data = self._data(passkey, how, counter)
        client_data = self._client_data("webauthn.get", options, how)
        signer = how.signer or passkey.key
        signature = signer.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "id": b64(passkey.credential_id),
            "rawId": b64(passkey.credential_id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": b64(client_data),
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": b64(passkey.user_handle if how.user_handle is None else how.user_handle),
            },
        }

    @staticmethod
    def _client_data(kind: str, options: dict[str, Any], how: Behaviour) -> bytes:
        challenge = options["challenge"] if how.challenge is None else b64(how.challenge)
        return json.dumps(
            {
                "type": how.type or kind,
                "challenge": challenge,
                "origin": how.origin,
                "crossOrigin": how.cross_origin,
            }
        ).encode()

    @staticmethod
    def _data(passkey: Passkey, how: Behaviour, counter: int, attested: bytes = b"") -> bytes:
        flags = (
            USER_PRESENT * how.user_present
            | USER_VERIFIED * how.user_verified
            | (BACKUP_ELIGIBLE | BACKED_UP) * how.synced
            | ATTESTED_DATA * bool(attested)
        )
        rp_id = how.rp_id or passkey.rp_id
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4) + attested

    @staticmethod
    def _attested(passkey: Passkey, how: Behaviour) -> bytes:
        length = len(passkey.credential_id).to_bytes(2)
        key = how.public_key or cose_key(passkey.key)
        return bytes(16) + length + passkey.credential_id + cbor2.dumps(key)


def cose_key(key: ec.EllipticCurvePrivateKey) -> dict[int, Any]:
    """The public half as a COSE key (RFC 9053, 7.1.1): EC2, ES256, P-256."""
    point = key.public_key().public_numbers()
    return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
