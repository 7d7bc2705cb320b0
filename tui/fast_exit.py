"""How the process ends once everything worth closing is closed."""

import os
import sys
from typing import NoReturn


def end_process(status: int) -> NoReturn:
    """End at once, without the interpreter's teardown.

    Taking apart the modules of Textual and SQLAlchemy costs 100 ms and more, and a person waits for the shell's prompt
    meanwhile. Neither `atexit` handlers nor other threads get another turn: call it when the store is closed and
    nothing is left to do.

    Args:
        status: the exit status, 0 to 255.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # The reader is gone, or the stream was closed: there is nobody to tell.
            continue
    os._exit(status)
