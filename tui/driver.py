"""The choice of the terminal driver."""

import sys

from textual import constants
from textual.driver import Driver


def console_driver() -> type[Driver] | None:
    """The driver class for `App(driver_class=...)` on this platform.

    POSIX terminals get `PosixDriver`. None leaves the choice to Textual: on Windows, and where TEXTUAL_DRIVER names a
    driver, as textual-serve does.
    """
    if constants.DRIVER is not None or sys.platform == "win32":
        return None
    from tui.posix_driver import PosixDriver

    return PosixDriver
