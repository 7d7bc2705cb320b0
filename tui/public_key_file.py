"""Files with an SSH public key, which a person names instead of pasting the key."""

import os
import stat
from pathlib import Path

_UNREADABLE = "The file {} could not be read. Paste the key itself instead."


def is_path(text: str) -> bool:
    """True if `text` is meant as the path of a file: no line with a public key begins so, or is one such word."""
    return text.startswith(("/", "~", "./", "../")) or (text.endswith(".pub") and " " not in text)


def read_public_key(path: Path) -> str:
    """The text of a regular file of at most 16 KiB; `~` is the home folder. It blocks: call it in a thread.

    Raises `InvalidSshKey` for a file that cannot be read, or is no text of that length. Nothing of the file's contents
    is in a sentence.
    """
    from store.errors import InvalidSshKey
    from store.ssh_public_keys import FIELD, MAX_KEY_TEXT
    from store.text import sanitize

    try:
        # A pipe or a device must not hold the thread.
        handle = os.open(path.expanduser(), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with os.fdopen(handle, "rb") as file:
            is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            raw = file.read(MAX_KEY_TEXT + 1) if is_file else None
    except (OSError, RuntimeError, ValueError) as error:
        raise InvalidSshKey(_UNREADABLE.format(sanitize(path, 100)), field=FIELD) from error
    if raw is None or len(raw) > MAX_KEY_TEXT:
        raise InvalidSshKey(f"{sanitize(path, 100)} is not a file with a public key.", field=FIELD)
    return raw.decode("utf-8", "replace")
