"""SSH keys for tests."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from store.ssh_public_keys import parse


def public_key(number: int = 1, comment: str = "") -> str:
    """The public line of an Ed25519 key, as distinct as its number."""
    key = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")).public_key()
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}".strip()


def fingerprint(number: int = 1) -> str:
    return parse(public_key(number)).fingerprint
