"""SSH keys of an account."""

from datetime import datetime
from typing import NamedTuple


class SshKeyInfo(NamedTuple):
    """A registered SSH public key."""

    id: int
    name: str
    algorithm: str
    """The name of the key type in SSH, such as `ssh-ed25519` (RFC 8709)."""
    fingerprint: str
    """`SHA256:` and 43 characters, as `ssh-keygen -l` prints it."""
    added_at: datetime
    last_used_at: datetime | None
    """The last time that the key was accepted, also if the second factor was missing afterwards."""
    last_used_from: str
    """The source of that sign-in; empty before the first one."""
