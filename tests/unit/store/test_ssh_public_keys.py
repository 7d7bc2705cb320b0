"""Public keys: what ssh-keygen makes is read as ssh-keygen reads it, and everything else is refused by a sentence."""

import base64
import random
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from store.errors import InvalidSshKey
from store.ssh_public_keys import ALGORITHMS, MAX_KEY_TEXT, MAX_RSA_BITS, fingerprint_of, parse
from tests import parts
from tests.harness.ssh_keys import public_key


def made(folder: Path, kind: str, bits: int = 0) -> tuple[str, str]:
    """A key made by OpenSSH: its public line, and the fingerprint that `ssh-keygen -l` prints."""
    file = folder / "key"
    size = ["-b", str(bits)] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "alice at work", "-f", file], check=True)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", f"{file}.pub"], check=True, capture_output=True, text=True).stdout
    return Path(f"{file}.pub").read_text(), shown.split()[1]


@pytest.mark.needs(parts.OPENSSH)
@pytest.mark.parametrize(
    ("kind", "bits", "algorithm"),
    [
        ("ed25519", 0, "ssh-ed25519"),
        ("ecdsa", 256, "ecdsa-sha2-nistp256"),
        ("ecdsa", 384, "ecdsa-sha2-nistp384"),
        ("ecdsa", 521, "ecdsa-sha2-nistp521"),
        ("rsa", 3072, "ssh-rsa"),
    ],
)
def test_a_key_of_openssh_has_the_fingerprint_that_openssh_prints(
    tmp_path: Path, kind: str, bits: int, algorithm: str
) -> None:
    line, shown = made(tmp_path, kind, bits)
    key = parse(f"\n# my key\n  {line}\n")
    assert (key.algorithm, key.fingerprint, key.comment) == (algorithm, shown, "alice at work")
    assert key.algorithm in ALGORITHMS


@pytest.mark.needs(parts.OPENSSH)
def test_a_security_key_is_accepted(tmp_path: Path) -> None:
    """As OpenSSH writes it (PROTOCOL.u2f): the public key, and the application it was made for."""
    plain = base64.b64decode(BODY)[-32:]
    for algorithm, fields in (
        ("sk-ssh-ed25519@openssh.com", (plain, b"ssh:")),
        ("sk-ecdsa-sha2-nistp256@openssh.com", (b"nistp256", ecdsa_point(), b"ssh:")),
    ):
        wire = strings(algorithm.encode(), *fields)
        file = tmp_path / "key.pub"
        file.write_text(f"{algorithm} {base64.b64encode(wire).decode()} alice@phone")
        shown = subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True).stdout
        key = parse(file.read_text())
        assert (key.algorithm, key.fingerprint, key.comment) == (algorithm, shown.split()[1], "alice@phone")
        assert key.fingerprint == fingerprint_of(wire)


def ecdsa_point() -> bytes:
    point = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    return point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def strings(*parts: bytes) -> bytes:
    """The parts in SSH's wire form (RFC 4251, 5)."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def rsa(n: int, e: int = 65537, *, zeros: int = 0) -> str:
    def number(value: int) -> bytes:
        return b"\0" * zeros + value.to_bytes(value.bit_length() // 8 + 1, "big")

    return "ssh-rsa " + base64.b64encode(strings(b"ssh-rsa", number(e), number(n))).decode()


ODD = random.Random(3)
N3072, N2048, N20000 = ((ODD.getrandbits(bits) | 1 << (bits - 1) | 1) for bits in (3072, 2048, 20_000))
HUGE_LENGTH = base64.b64encode(b"\xff" * 4).decode()
SHORT = base64.b64encode(strings(b"ssh-ed25519", b"short")).decode()
GOOD = public_key(1, "me")
BODY = GOOD.split()[1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste the one line of a file"),
        (" \n# a comment\n", "Paste the one line of a file"),
        ("hello", "This is not a public key"),
        ("~/.ssh/id_ed25519.pub", "This is not a public key"),
        ("\x1b[2J\x07", "This is not a public key"),
        ("ssh-ed25519", "damaged or not complete"),
        (f"ssh-ed25519 {BODY[:-8]}", "damaged or not complete"),
        (f"ssh-ed25519 {BODY}AAAA", "damaged or not complete"),
        (f"ssh-ed25519 {BODY[:20]}*{BODY[20:]}", "damaged or not complete"),
        (f"ssh-ed25519 {BODY[:20]} {BODY[20:]}", "damaged or not complete"),
        (f"ssh-ed25519 {BODY[:20]}ü{BODY[20:]}", "damaged or not complete"),
        (f"ecdsa-sha2-nistp256 {BODY}", "damaged or not complete"),
        (f"{GOOD}\n{public_key(2)}", "one key at a time"),
        (f"ssh-ed25519 {BODY[:20]}\n{BODY[20:]}", "one key at a time"),
        (f'command="gatekey",no-pty {GOOD}', "Leave out the options"),
        (f'environment="A=b c" {GOOD}', "Leave out the options"),
        (f"restrict {GOOD}", "Leave out the options"),
        (f"ssh-ed25519-cert-v01@openssh.com {BODY}", "This is a certificate"),
        (f"ssh-dss {BODY}", "DSA keys are not safe"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n-----END OPENSSH PRIVATE KEY-----", "This is a private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY----- b3Blbn", "This is a private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none", "This is a private key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "in another form"),
        ("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----", "in another form"),
        (rsa(N2048), "has 2048 bits; 3072 to 16384"),
        (rsa(N20000), "has 20000 bits"),
        (rsa(N3072, 1), "damaged or not complete"),
        (rsa(N3072, zeros=1), "damaged or not complete"),
        (f"ssh-ed25519 {'A' * MAX_KEY_TEXT}", "too long"),
        (f"ssh-ed25519 {SHORT}", "damaged or not complete"),
        (f"ssh-ed25519 {HUGE_LENGTH}", "damaged or not complete"),
    ],
)
def test_everything_else_is_refused_by_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidSshKey, match=sentence) as caught:
        parse(text)
    assert caught.value.field == "ssh-key"
    assert BODY[:12] not in str(caught.value)


def test_a_long_key_is_accepted_up_to_the_limit_of_openssh() -> None:
    longest = random.Random(5).getrandbits(MAX_RSA_BITS) | 1 << (MAX_RSA_BITS - 1) | 1
    assert parse(rsa(longest)).algorithm == "ssh-rsa"
    assert parse(rsa(N3072)).algorithm == "ssh-rsa"


def test_no_damage_is_worse_than_a_refusal() -> None:
    """Random bytes, and a key with one changed character: a key, or the sentence."""
    rng, refused = random.Random(11), 0
    for turn in range(2000):
        wire = bytearray(base64.b64decode(BODY))
        wire[rng.randrange(len(wire))] ^= 1 << rng.randrange(8)
        body = bytes(wire) if turn % 2 else rng.randbytes(rng.randrange(200))
        algorithm = rng.choice(ALGORITHMS)
        try:
            parse(f"{algorithm} {base64.b64encode(body).decode()}")
        except InvalidSshKey:
            refused += 1
    assert refused > 1000
