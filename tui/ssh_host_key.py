"""The host key of `gatekey ssh`: an Ed25519 key in a file of mode 0600, made once."""

import base64
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from store import private_file, private_folder
from store.errors import HostKeyUnusable
from tui.store_location import Options, key_path

FILE_NAME: Final = "ssh_host_ed25519_key"
MAX_KEY_BYTES: Final = 65_536


def host_key_path(options: Options, environ: Mapping[str, str]) -> Path:
    """The default path of the host key: beside Gatekey's own key."""
    from store.default_paths import default_key_path

    return (key_path(options, environ) or default_key_path()).parent / FILE_NAME


def load_host_key(path: Path) -> bytes:
    """The private key in OpenSSH's format. Raises `HostKeyUnusable`."""
    try:
        # O_NONBLOCK: opening a pipe without a writer must not block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise HostKeyUnusable(f"The host key {path} could not be opened: {error.strerror}.") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise HostKeyUnusable(f"The host key {path} is not a file.")
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise HostKeyUnusable(f"Others can read the host key {path}. Run: chmod 600 {path}")
        return os.read(descriptor, MAX_KEY_BYTES)
    finally:
        os.close(descriptor)


def load_or_make_host_key(path: Path) -> bytes:
    """The private key at `path`, which is made if there is no file. Raises `HostKeyUnusable`."""
    if not os.path.lexists(path):
        _make(path)
    return load_host_key(path)


def fingerprint(private_key: bytes) -> str:
    """The fingerprint as OpenSSH shows it: `SHA256:` and base64 without padding. Raises `HostKeyUnusable`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

    try:
        public = load_ssh_private_key(private_key, password=None).public_key()
        line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise HostKeyUnusable(
            "The host key is no private key in OpenSSH's format without a passphrase. "
            "Move it away, and Gatekey makes a new one."
        ) from error
    digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _make(path: Path) -> None:
    """Write a new key. Of two servers that start at once, the second uses the key of the first."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    try:
        private_folder.make(path.parent)
        with private_file.draft(path, content, prefix=".ssh-host-") as draft:
            path.hardlink_to(draft)
    except FileExistsError:
        return
    except OSError as error:
        raise HostKeyUnusable(f"The host key {path} could not be made: {error.strerror}.") from error
