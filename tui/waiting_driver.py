"""The driver of an application that is made before its terminal is known."""

import os
from typing import Any

from textual.app import App
from textual.events import Resize
from textual.geometry import Size

from tui.diffed_output import DiffedOutput
from tui.posix_driver import PosixDriver
from tui.terminal import erases_in_background


class WaitingDriver(PosixDriver):
    """`PosixDriver`, but nothing is written or read before `take_terminal`. The application is arranged for `size`."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        self._has_terminal = False
        super().__init__(app, debug=debug, mouse=mouse, size=size)

    def take_terminal(self) -> None:
        """Begin on the terminal that is now behind the standard streams. Call it on the event loop."""
        self._has_terminal = True
        self._size = None
        self.input_tty = os.isatty(self.fileno)
        self._output = DiffedOutput(erases_in_background=erases_in_background(os.environ, self.fileno))
        self.start_application_mode()

    def start_application_mode(self) -> None:
        if self._has_terminal:
            super().start_application_mode()
        elif self._size is not None:
            size = Size(*self._size)
            self.send_message(Resize(size, size))

    def write(self, data: str) -> None:
        if self._has_terminal:
            super().write(data)
