"""A secret in a form: never read back, only kept, replaced or cleared."""

import base64
import binascii
import random
import re
from dataclasses import dataclass, field
from typing import Final

from store.errors import InvalidSecret

_WEBHOOK_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)
_NEW_KEY_BYTES: Final = 32
BARK_KEY_LENGTHS: Final = (16, 24, 32)
"""Characters of a Bark encryption key, by AES-128, AES-192 and AES-256."""


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """The state of a stored secret (`is_set`, `hint`), and the change that a form asks for (`new`).

    `new` None keeps the stored secret, an empty string clears it, any other string replaces it.
    """

    is_set: bool = False
    hint: str = ""
    """Enough to recognise it by: the host of an address, or the last four characters of a token."""
    new: str | None = field(default=None, repr=False)

    @property
    def will_be_set(self) -> bool:
        """True if there is a secret once this is saved."""
        return self.is_set if self.new is None else bool(self.new.strip())

    def replaced(self, secret: str) -> "StoredSecret":
        return StoredSecret(self.is_set, self.hint, secret)

    def trimmed(self) -> "StoredSecret":
        """The same without the blanks that came along when it was pasted."""
        return self if self.new is None else self.replaced(self.new.strip())


def make_webhook_secret(rng: random.Random) -> str:
    """A new webhook secret: `whsec_` and 32 random bytes in base64 (Standard Webhooks)."""
    return _WEBHOOK_PREFIX + base64.b64encode(rng.randbytes(_NEW_KEY_BYTES)).decode()


def check_webhook_secret(text: str, field: str) -> None:
    """Raise `InvalidSecret` unless it is `whsec_` and 24 to 64 bytes of base64 (Standard Webhooks)."""
    if webhook_key(text) is None:
        raise InvalidSecret("A webhook secret is whsec_ and 24 to 64 bytes of base64.", field=field)


def webhook_key(text: str) -> bytes | None:
    """The key that signs webhooks, in a `whsec_` secret; None if the secret has another form."""
    encoded = text.removeprefix(_WEBHOOK_PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if encoded != text and len(key) in _KEY_BYTES else None


def check_bark_encryption_key(text: str, field: str) -> None:
    """Raise `InvalidSecret` unless it is a key of AES-128, AES-192 or AES-256, as the Bark app takes it."""
    if not text.isascii() or len(text) not in BARK_KEY_LENGTHS:
        raise InvalidSecret("A Bark encryption key has 16, 24 or 32 characters.", field=field)


def check_gotify_token(text: str, field: str) -> None:
    """Raise `InvalidSecret` unless it is 1 to 200 visible ASCII characters."""
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", text):
        raise InvalidSecret("A Gotify token has no spaces.", field=field)
