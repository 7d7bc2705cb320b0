"""Who acts when a command changes the store: the system's user, and nobody it claims to be."""

import os


def actor() -> str:
    """The acting user for the audit log, such as `unix:alice`.

    From the process itself: environment variables such as LOGNAME are whatever the caller wrote there.
    """
    import pwd

    uid = os.getuid()
    try:
        return f"unix:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"unix:{uid}"
