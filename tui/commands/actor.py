"""Who acts when a command changes the store: the system's user, and nobody it claims to be."""

import os
import re
from typing import Final

_USER: Final = r"[A-Za-z0-9_.@+$-]{1,64}"


def actor() -> str:
    """The acting user for the audit log, such as `unix:alice`, or `unix:root SUDO_USER:alice` below sudo.

    The user comes from the process itself. SUDO_USER is what sudo(8) says, or whoever may write what they like into
    the environment: it stands beside the user, never in its place.
    """
    import pwd

    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    behind = os.environ.get("SUDO_USER", "")
    return f"unix:{user} SUDO_USER:{behind}" if re.fullmatch(_USER, behind) else f"unix:{user}"
