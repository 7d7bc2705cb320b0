"""The demo with a widget that says when it is taken apart, and a key whose thread writes a file and takes its time."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from screens.app import GatekeyApp
from tui.fast_exit import end_process
from tui.local_account import LocalAccount
from tui.session_exit import run_to_its_end
from tui.store_location import Options

TAKEN_APART: Final = "taken apart"
WRITING: Final = "Writing a file"
PIECES: Final = 400
LONGEST_WAIT_S: Final = 60
"""Seconds after which the thread gives up, so that a test that fails leaves no process behind."""


class Unmounted(Static):
    def on_unmount(self) -> None:
        os.write(2, TAKEN_APART.encode())


class QuittingGatekey(GatekeyApp):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "write", priority=True)]

    def compose(self) -> ComposeResult:
        yield Unmounted()

    def action_write(self) -> None:
        self.run_worker(asyncio.to_thread(self.write_in_pieces, Path(sys.argv[1])))
        self.notify(WRITING)

    def write_in_pieces(self, path: Path) -> None:
        """Begin the file, and go on with it once the console is being left."""
        with path.open("wb") as file:
            end = time.monotonic() + LONGEST_WAIT_S
            while self.account.is_open and time.monotonic() < end:
                time.sleep(0.005)
            for _ in range(PIECES):
                file.write(b"piece")
                file.flush()
                os.fsync(file.fileno())
        path.rename(path.with_suffix(".whole"))


if __name__ == "__main__":
    end_process(run_to_its_end(QuittingGatekey(LocalAccount(Options(demo=True)))))
