"""Looking for a secret in files, however it may have been written down."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote


def forms(secret: str | bytes) -> dict[str, bytes]:
    """The ways a secret could stand in a file, by the name of the way."""
    raw = secret if isinstance(secret, bytes) else secret.encode()
    padded32, padded64 = base64.b32encode(raw), base64.b64encode(raw)
    ways = {
        "raw": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "base32": padded32.rstrip(b"="),
        "base64": padded64.rstrip(b"=")[:-1],
        "base64url": base64.urlsafe_b64encode(raw).rstrip(b"=")[:-1],
        "url": quote(raw, safe="").encode(),
        "utf-16": raw.decode(errors="replace").encode("utf-16-le"),
        "reversed": raw[::-1],
    }
    # In the middle of a longer text base64 falls on one of three offsets.
    for offset in (1, 2):
        ways[f"base64+{offset}"] = base64.b64encode(b"\0" * offset + raw)[4:].rstrip(b"=")[:-1]
    return ways


def decoded(name: str, secret: str) -> dict[str, str | bytes]:
    """A secret, and what it is itself an encoding of: the bytes behind base32 or base64, a code without dashes."""
    found: dict[str, str | bytes] = {name: secret}
    if name == "totp secret":
        found[f"{name}, decoded"] = base64.b32decode(secret)
    if name == "webhook secret":
        found[f"{name}, decoded"] = base64.b64decode(secret.removeprefix("whsec_"))
    if "code" in name:
        bare = secret.replace("-", "")
        found |= {f"{name}, bare": bare, f"{name}, half": bare[:8], f"{name}, other half": bare[8:]}
    if name.endswith(("session", "ticket")) or name.startswith("ticket"):
        found[f"{name}, decoded"] = bytes.fromhex(secret)
    return found


def hits(files: Iterable[Path], secrets: Mapping[str, str | bytes]) -> list[str]:
    """The file and the form in which each of `secrets` was found."""
    needles = [
        (name, way, needle) for name, secret in secrets.items() for way, needle in forms(secret).items() if needle
    ]
    found = []
    for path in files:
        contents = path.read_bytes()
        found += [f"{name} as {way} in {path.name}" for name, way, needle in needles if needle in contents]
    return found


def digest_of(token: str) -> bytes:
    """The digest stored of a token while its account exists."""
    return hashlib.sha256(token.encode()).digest()
