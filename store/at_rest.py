"""Encryption at rest: the key ring, AES-256-GCM for secrets that must be read back, and keyed hashes.

A sealed value holds the id of its key, a nonce, the ciphertext and the tag. Its associated data `table:column:row`
binds it to its row: it cannot be decrypted in another row or column (NIST SP 800-38D).
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
_UNREADABLE: Final = "A stored secret could not be opened: the key does not fit, or it was altered."


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id (1 to 255). New values are encrypted under `current`; the other keys decrypt old values."""

    current: int
    keys: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def new(cls, rng: random.Random) -> "KeyRing":
        """A ring with one new random key."""
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
        """The current state of the ring. An operation with several reads uses one: the key file can be replaced."""
        return self

    def serialise(self) -> str:
        """The text form, for `parse`. It contains the keys: write it only to a file of mode 0600."""
        ring = self.snapshot()
        ids = [key_id for key_id in ring.keys if key_id != ring.current] + [ring.current]
        return "".join(f"{_HEADER} {i} {base64.b64encode(ring.keys[i]).decode()}\n" for i in ids)

    def seal(self, plaintext: str, associated_data: str, rng: random.Random) -> bytes:
        """`plaintext` encrypted for `associated_data` (`table:column:row`): key id, nonce, ciphertext and tag."""
        return self.seal_bytes(plaintext.encode(), associated_data, rng)

    def seal_bytes(self, plaintext: bytes, associated_data: str, rng: random.Random) -> bytes:
        """As `seal`, for bytes."""
        ring, nonce = self.snapshot(), rng.randbytes(_NONCE_BYTES)
        key_id = ring.current
        return bytes([key_id]) + nonce + _cipher(ring.keys[key_id]).encrypt(nonce, plaintext, associated_data.encode())

    def open(self, sealed: bytes, associated_data: str) -> str:
        """The plaintext of a value encrypted for `associated_data`.

        Raises `KeyWrong` if the key is missing, or the value was moved or altered.
        """
        try:
            return self.open_bytes(sealed, associated_data).decode()
        except UnicodeDecodeError as error:
            raise KeyWrong(_UNREADABLE) from error

    def open_bytes(self, sealed: bytes, associated_data: str) -> bytes:
        """As `open`, for bytes. Raises `KeyWrong`."""
        ring = self.snapshot()
        if not sealed or sealed[0] not in ring.keys:
            raise KeyWrong
        from cryptography.exceptions import InvalidTag

        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return _cipher(ring.keys[sealed[0]]).decrypt(nonce, ciphertext, associated_data.encode())
        except (InvalidTag, ValueError) as error:
            raise KeyWrong(_UNREADABLE) from error

    @property
    def oldest(self) -> int:
        """The id of the key of keyed hashes: the first that is not the current one, else the current one."""
        ring = self.snapshot()
        return next((key_id for key_id in ring.keys if key_id != ring.current), ring.current)

    def mac(self, purpose: str, message: bytes, key_id: int | None = None) -> bytes:
        """HMAC-SHA-256 (RFC 2104) of `message`, under a key derived for `purpose` from key `key_id` or the oldest key.

        Raises `KeyWrong` if the key is missing.
        """
        ring = self.snapshot()
        root = ring.keys.get(ring.oldest if key_id is None else key_id)
        if root is None:
            raise KeyWrong
        key = hmac.digest(root, f"gatekey:mac:{purpose}:v1".encode(), hashlib.sha256)
        return hmac.digest(key, message, hashlib.sha256)


def _cipher(key: bytes) -> "AESGCM":
    """AES-256-GCM under a key derived from `key` by HKDF (RFC 5869)."""
    # Imported here, because most sessions decrypt nothing and save 7 MB of memory.
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
