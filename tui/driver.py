"""Which terminal driver the console runs on."""

import sys

from textual import constants
from textual.driver import Driver


def console_driver() -> type[Driver] | None:
    """The driver class for `App(driver_class=...)` on this platform.

    On POSIX terminals this is `PosixDriver`: diffed output, a prompt Esc and a prompt exit. None leaves the
    choice to Textual: on Windows, and where TEXTUAL_DRIVER names a driver (as textual-serve does).
    """
    if constants.DRIVER is not None or sys.platform == "win32":
        return None
    from tui.posix_driver import PosixDriver

    return PosixDriver
