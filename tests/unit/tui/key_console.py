"""A program for the driver's tests: shows every key and paste it gets, on the console's driver.

    python -m tests.unit.tui.key_console [deaf]

"deaf" ignores SIGHUP, as under nohup.
"""

import asyncio
import signal
import sys
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui.driver import console_driver


class KeyConsole(App[None]):
    """The keys so far, in one line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "step_outside", "Run another program"),
        Binding("ctrl+z", "suspend_process", "Suspend"),
        Binding("f6", "redraw", "Redraw"),
    ]
    CSS = "#field { pointer: text; height: 3; }"

    def __init__(self) -> None:
        super().__init__(driver_class=console_driver())
        self.seen: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static("ready", id="keys", markup=False)
        yield Static("a field", id="field")

    def on_mount(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stop_at_once)

    def stop_at_once(self) -> None:
        """Give the terminal back now, and again on the way out."""
        assert self._driver is not None
        self._driver.stop_application_mode()
        self.exit(return_code=143)

    def on_key(self, event: events.Key) -> None:
        self.show(event.key)

    def on_paste(self, event: events.Paste) -> None:
        self.show(f"paste:{event.text}")

    def show(self, what: str) -> None:
        """Add to the line."""
        self.seen.append(what)
        self.query_one("#keys", Static).update(f"keys: {' '.join(self.seen)}.")

    def action_step_outside(self) -> None:
        """Run another program on the plain screen."""
        with self.suspend():
            sys.__stdout__.write("outside\n")  # type: ignore[union-attr]  # a terminal, here
            sys.__stdout__.flush()  # type: ignore[union-attr]  # same

    def action_redraw(self) -> None:
        """Paint everything again."""
        driver: Any = self._driver
        driver.repaint()


def main() -> None:
    """Run it and exit with its return code."""
    if "deaf" in sys.argv:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    app = KeyConsole()
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    main()
