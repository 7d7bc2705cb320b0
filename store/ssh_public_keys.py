"""Parsing of SSH public keys, in the form of one line of `authorized_keys` (sshd(8)) without options."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from store.errors import InvalidSshKey

FIELD: Final = "ssh-key"
"""The form field of a public key."""
MAX_KEY_TEXT: Final = 16_384
"""Characters. An RSA key of 16384 bits has 2,800."""
MIN_RSA_BITS: Final = 3072
"""128 bits of security are 3072 bits of RSA (NIST SP 800-57 part 1, 5.6.1)."""
MAX_RSA_BITS: Final = 16_384
"""The limit of OpenSSH; the verification of a signature takes time that grows with the square of the length."""
RSA: Final = "ssh-rsa"
ALGORITHMS: Final = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    RSA,
)
"""The accepted key types (RFC 8709, RFC 5656, RFC 4253, and OpenSSH's PROTOCOL.u2f)."""
_CERTIFICATE: Final = "-cert-v0"

_EXPECTED: Final = "Paste the one line of a file such as ~/.ssh/id_ed25519.pub."
_PRIVATE: Final = (
    "This is a private key. It was not stored; keep it to yourself. Paste the line of the file whose name ends in .pub."
)
_OTHER_FORM: Final = (
    "This public key is in another form. Print it in OpenSSH's with ssh-keygen -i -f FILE, and paste that line."
)
_DAMAGED: Final = "The key is damaged or not complete. Copy the whole line again."


@dataclass(frozen=True, slots=True)
class SshPublicKey:
    """A parsed key. `comment` is the text after it, such as `alice@laptop`."""

    algorithm: str
    fingerprint: str
    comment: str


def fingerprint_of(blob: bytes) -> str:
    """OpenSSH's fingerprint of a key in wire form: SHA-256 in base64 without padding."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def parse(text: str) -> SshPublicKey:
    """Parse one public key: its type, its base64 and an optional comment. Raises `InvalidSshKey`."""
    if len(text) > MAX_KEY_TEXT:
        raise InvalidSshKey(f"This is too long for a public key. {_EXPECTED}", field=FIELD)
    _refuse_other_forms(text)
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    if len(lines) != 1:
        raise InvalidSshKey(f"Add one key at a time. {_EXPECTED}" if lines else _EXPECTED, field=FIELD)
    words = lines[0].split(None, 2)
    algorithm = words[0]
    if algorithm not in ALGORITHMS:
        raise InvalidSshKey(_reason(lines[0]), field=FIELD)
    blob = _decode(words[1]) if len(words) > 1 else b""
    _check(algorithm, blob)
    return SshPublicKey(algorithm, fingerprint_of(blob), words[2] if len(words) > 2 else "")


def _refuse_other_forms(text: str) -> None:
    if "PRIVATE KEY" in text or "PuTTY-User-Key-File" in text:
        raise InvalidSshKey(_PRIVATE, field=FIELD)
    if "BEGIN" in text and "PUBLIC KEY" in text:
        raise InvalidSshKey(_OTHER_FORM, field=FIELD)


def _reason(line: str) -> str:
    """Tells why a line that starts with no accepted key type is refused."""
    first = line.split(None, 1)[0]
    if _CERTIFICATE in first:
        return "This is a certificate. Paste the public key that it was made for."
    if first == "ssh-dss":
        return "DSA keys are not safe any more. Make a new one with ssh-keygen -t ed25519."
    if any(word in ALGORITHMS for word in line.replace('"', " ").split()):
        return "Leave out the options before the key: the line starts with the type, such as ssh-ed25519."
    return f"This is not a public key. {_EXPECTED}"


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidSshKey(_DAMAGED, field=FIELD) from error


def _check(algorithm: str, blob: bytes) -> None:
    """Raise `InvalidSshKey` unless `blob` is a whole key of the type `algorithm`, in the one form that SSH sends."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

    try:
        key = load_ssh_public_key(f"{algorithm} {base64.b64encode(blob).decode()}".encode())
        line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidSshKey(_DAMAGED, field=FIELD) from error
    if isinstance(key, RSAPublicKey) and not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise InvalidSshKey(
            f"This RSA key has {key.key_size} bits; {MIN_RSA_BITS} to {MAX_RSA_BITS} are accepted. "
            "Make a new key with ssh-keygen -t ed25519.",
            field=FIELD,
        )
    # A number with leading zeros would have another fingerprint than the same key in a sign-in. The key of a security
    # key cannot be compared: cryptography writes it as a plain one.
    if not algorithm.startswith("sk-") and base64.b64decode(line.split()[1]) != blob:
        raise InvalidSshKey(_DAMAGED, field=FIELD)
