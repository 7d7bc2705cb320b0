"""Secrets that must be read back, sealed with AES-256-GCM; and the keys all of that hangs on.

A sealed value carries the id of its key and a nonce, and is bound to its row by associated data
`table:column:row`: moved to another row or column it no longer opens (NIST SP 800-38D).
"""

import base64
import binascii
import hashlib
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from store.errors import KeyWrong

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_HEADER: Final = "gatekey-key"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id (1 to 255). New values are sealed under `current`; older ids still open."""

    current: int
    keys: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def new(cls, rng: random.Random) -> "KeyRing":
        """A ring of one fresh key."""
        return cls(1, {1: rng.randbytes(KEY_BYTES)})

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """A ring from lines of `gatekey-key ID BASE64`; the last line is the current key.

        Raises `KeyWrong` for anything else.
        """
        keys: dict[int, bytes] = {}
        for line in text.splitlines():
            if not line.strip():
                continue
            match line.split():
                case [word, number, encoded] if word == _HEADER and number.isascii() and number.isdigit():
                    key_id, key = int(number), _decode(encoded)
                case _:
                    raise KeyWrong("The key file does not hold a Gatekey key.")
            if len(key) != KEY_BYTES or not 1 <= key_id <= 255 or key_id in keys:
                raise KeyWrong("The key file does not hold a Gatekey key.")
            keys[key_id] = key
        if not keys:
            raise KeyWrong("The key file is empty.")
        return cls(list(keys)[-1], keys)

    def snapshot(self) -> "KeyRing":
        """The ring as it is now. An operation that looks at it twice takes one: a key file may be replaced between."""
        return self

    def serialise(self) -> str:
        """The text that `parse` reads back. Holds the keys: write it only to a file of mode 0600."""
        ring = self.snapshot()
        ids = [key_id for key_id in ring.keys if key_id != ring.current] + [ring.current]
        return "".join(f"{_HEADER} {i} {base64.b64encode(ring.keys[i]).decode()}\n" for i in ids)

    def seal(self, plaintext: str, associated_data: str, rng: random.Random) -> bytes:
        """`plaintext` sealed for `associated_data` (`table:column:row`): key id, nonce, ciphertext and tag."""
        ring, nonce = self.snapshot(), rng.randbytes(_NONCE_BYTES)
        key_id = ring.current
        return (
            bytes([key_id])
            + nonce
            + _cipher(ring.keys[key_id]).encrypt(nonce, plaintext.encode(), associated_data.encode())
        )

    def open(self, sealed: bytes, associated_data: str) -> str:
        """The plaintext of a value sealed for `associated_data`.

        Raises `KeyWrong` if the key is missing, or the value was moved or changed.
        """
        ring = self.snapshot()
        if not sealed or sealed[0] not in ring.keys:
            raise KeyWrong
        from cryptography.exceptions import InvalidTag

        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return _cipher(ring.keys[sealed[0]]).decrypt(nonce, ciphertext, associated_data.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise KeyWrong("A stored secret could not be opened: the key does not fit, or it was altered.") from error

    @property
    def oldest(self) -> int:
        """The id of the key that names are hashed under until it is given up: the first that is not the current."""
        ring = self.snapshot()
        return next((key_id for key_id in ring.keys if key_id != ring.current), ring.current)

    def mac(self, purpose: str, message: bytes, key_id: int | None = None) -> bytes:
        """HMAC-SHA-256 (RFC 2104) of `message` under a key for `purpose`, itself a MAC under the oldest key.

        With `key_id`, under that one instead. Raises `KeyWrong` if it is missing.
        """
        ring = self.snapshot()
        root = ring.keys.get(ring.oldest if key_id is None else key_id)
        if root is None:
            raise KeyWrong
        key = hmac.digest(root, f"gatekey:mac:{purpose}:v1".encode(), hashlib.sha256)
        return hmac.digest(key, message, hashlib.sha256)


def _cipher(key: bytes) -> "AESGCM":
    """AES-256-GCM under a key derived from `key` by HKDF (RFC 5869)."""
    # A session that opens no sealed value does without these 7 MB.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    kdf = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"gatekey:seal:v1")
    return AESGCM(kdf.derive(key))


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
