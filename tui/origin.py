"""The origin of this console: for the list of sessions, and for the limit of sign-in attempts."""

import os
from collections.abc import Mapping


def source() -> str:
    """The terminal and the SSH peer, if there is one, for the list of sessions."""
    try:
        terminal = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        terminal = "no terminal"
    address = _ssh_peer(os.environ)
    return f"ssh {address} {terminal}" if address else terminal


def peer(environ: Mapping[str, str] = os.environ) -> str:
    """The system's user and the SSH peer, if there is one, for the limit of sign-in attempts.

    The terminal is not part of it, because every connection gets another. sshd sets the address of the peer; a person
    who can set another one has a shell as this user and could read the database.
    """
    from gateway.client_address import throttle_key

    address, user = _ssh_peer(environ), f"uid {os.getuid()}"
    return f"ssh {throttle_key(address)} {user}" if address else user


def _ssh_peer(environ: Mapping[str, str]) -> str:
    return environ.get("SSH_CONNECTION", "").split(" ")[0]
