"""Where this console runs: as its owner is shown it, and as tries to sign in are counted."""

import os
from collections.abc import Mapping


def source() -> str:
    """For the list of sessions: the terminal, and the SSH peer if there is one."""
    try:
        terminal = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        terminal = "no terminal"
    address = _ssh_peer(os.environ)
    return f"ssh {address} {terminal}" if address else terminal


def peer(environ: Mapping[str, str] = os.environ) -> str:
    """For the budget of tries: the system's user, and the SSH peer if there is one.

    Not the terminal, of which a new one is a new connection away. sshd sets the peer's address; whoever may set
    another has a shell as this user, and with it the database.
    """
    from gateway.client_address import throttle_key

    address, user = _ssh_peer(environ), f"uid {os.getuid()}"
    return f"ssh {throttle_key(address)} {user}" if address else user


def _ssh_peer(environ: Mapping[str, str]) -> str:
    return environ.get("SSH_CONNECTION", "").split(" ")[0]
