"""A console with a secret on the screen and in its variables, that ends in the way its argument says."""

import sys
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import Static

from tui.crash import SafeCrashMixin

SECRET = "hunter2-hunter2-hunter2"


class FaultyConsole(SafeCrashMixin, App[None]):
    def __init__(self, way: str, log: str) -> None:
        super().__init__()
        self.way = way
        self.crash_log = Path(log) if log else None

    def compose(self) -> ComposeResult:
        yield Static(f"ready {SECRET}")

    def on_mount(self) -> None:
        self.leave_on_signals()

    def on_key(self) -> None:
        password = SECRET
        if self.way == "handler":
            raise ValueError(password)
        if self.way == "worker":
            self.run_worker(self.work(password))
        if self.way == "thread":
            self.run_worker(lambda: self.work_in_thread(password), thread=True)
        if self.way == "two":
            try:
                self.fail(password)
            except KeyError as error:
                self._handle_exception(error)
            raise ValueError(password)
        if self.way == "stylesheet":
            self.stylesheet.add_source("Static { colour: red; }", read_from=("broken.tcss", ""))
            self.stylesheet.parse()
        if self.way == "chain":
            self.chain(password)

    def fail(self, password: str) -> None:
        raise KeyError(password)

    async def work(self, password: str) -> None:
        raise RuntimeError(f"no {password}")

    def work_in_thread(self, password: str) -> None:
        raise RuntimeError(f"no {password}")

    def chain(self, password: str) -> None:
        try:
            self.fail(password)
        except KeyError as error:
            raise RuntimeError(password) from error


if __name__ == "__main__":
    console = FaultyConsole(*sys.argv[1:])
    console.run()
    sys.exit(console.return_code or 0)
