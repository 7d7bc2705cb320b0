"""The end of the process, without the teardown of the interpreter."""

import os
import sys
from typing import NoReturn


def end_process(status: int) -> NoReturn:
    """End the process at once.

    The teardown of the modules of Textual and SQLAlchemy takes 100 ms and more, and the shell's prompt waits for it.
    `atexit` handlers do not run and other threads are killed: call it when the store is closed.

    Args:
        status: the exit status, 0 to 255.
    """
    if logging := sys.modules.get("logging"):
        logging.shutdown()  # a handler may keep lines for a while
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # The reader is gone, or the stream is closed.
            continue
    os._exit(status)
