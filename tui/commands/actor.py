"""The actor of a command in the audit log: the system's user."""

import os
import re
from typing import Final

_USER: Final = r"[A-Za-z0-9_.@+$-]{1,64}"


def actor() -> str:
    """The acting user for the audit log, such as `unix:alice`, or `unix:root SUDO_USER:alice` below sudo.

    The user comes from the process. SUDO_USER is set by sudo(8), but anybody can set it, so it is added to the user and
    does not replace it.
    """
    import pwd

    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    behind = os.environ.get("SUDO_USER", "")
    return f"unix:{user} SUDO_USER:{behind}" if re.fullmatch(_USER, behind) else f"unix:{user}"
