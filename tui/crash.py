"""SafeCrashMixin: an unhandled exception or a signal ends the console with a clean terminal and one sentence.

Textual prints an unhandled exception with the local variables of every frame, which hold passwords and tokens
(`App._fatal_error`, 8.2.8).
"""

import asyncio
import os
import signal
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.segment import Segments
from rich.text import Text
from textual.app import App
from textual.css.errors import StylesheetError
from textual.worker import WorkerFailed

from store.fault_places import chain

END_SIGNALS: Final = ("SIGTERM", "SIGHUP", "SIGINT")
"""Signals that end the console with a restored terminal. A system may not have all of them."""

MAX_CHAIN_LINKS: Final = 10
"""Exceptions of a chain that a report lists."""

# At run time a mixin has no base of its own, because it stands before the class it joins.
if TYPE_CHECKING:
    AppPart = App[Any]
else:
    AppPart = object


class SafeCrashMixin(AppPart):
    """Mix into an `App`, before it."""

    crash_log: Path | None = None
    """The file to which a report is appended, or None for no report."""

    def _fatal_error(self) -> None:
        if self._exit_renderables:
            return  # the first fault is the cause; for more, Textual prints a hint for developers
        error = self._exception or sys.exc_info()[1] or RuntimeError()
        if isinstance(error, WorkerFailed):
            error = error.error
        self.bell()
        self._print_at_end(crash_message(error, self._report(error)))
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """End the console. A traceback is replaced by the sentence of `crash_message`."""
        from rich.traceback import Traceback

        # A stylesheet that does not parse is a fault of the code, and the report quotes only the stylesheet.
        if any(isinstance(renderable, StylesheetError) for renderable in renderables):
            super().panic(*renderables)
        elif any(isinstance(renderable, Traceback | BaseException) for renderable in renderables):
            self._return_code = 1
            self._fatal_error()
        else:
            super().panic(*renderables)

    def leave_on_signals(self) -> None:
        """End the console on `END_SIGNALS`, with 128 + the signal as return code. Call it in `on_mount`."""
        loop = asyncio.get_running_loop()
        for name in END_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                loop.add_signal_handler(number, partial(self._leave_on, loop, number))

    def _leave_on(self, loop: asyncio.AbstractEventLoop, number: int) -> None:
        # A shell passes on the hangup that its terminal sends as well: the second one would kill the ending process.
        hangup = getattr(signal, "SIGHUP", None)
        if hangup is not None:
            loop.remove_signal_handler(hangup)
        ignore_hangups()
        self.exit(return_code=128 + number)

    def _print_at_end(self, sentence: str) -> None:
        rendered = self.console.render(Text(sentence), self.console.options)
        self._exit_renderables.append(Segments(list(rendered)))

    def _report(self, error: BaseException) -> Path | None:
        if self.crash_log is None:
            return None
        try:
            append_report(self.crash_log, error, datetime.now(UTC))
        except OSError:
            return None
        return self.crash_log


def ignore_hangups() -> None:
    """Ignore SIGHUP from now on, so that a closed terminal does not interrupt the end."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None:
        signal.signal(hangup, signal.SIG_IGN)


def fault_id(error: BaseException) -> str:
    """Eight hexadecimal digits, the same for the same exceptions at the same places."""
    places = "\n".join(_places(error))
    return f"{zlib.crc32(places.encode()):08x}"


def crash_message(error: BaseException, report: Path | None) -> str:
    """The sentence that stays on the terminal. `report` is the file of the report, if there is one."""
    kept = f" A report without any of your data is in {report}." if report else ""
    return (
        f"Gatekey stopped because of a fault of its own (fault {fault_id(error)}). Everything you saved is kept.{kept}"
    )


def append_report(path: Path, error: BaseException, now: datetime) -> None:
    """Append the types and places of `error` to a file of mode 0600. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        lines = "\n  ".join(_places(error))
        file.write(f"{now.isoformat(timespec='seconds')} fault {fault_id(error)}\n  {lines}\n")


def _places(error: BaseException) -> Iterator[str]:
    for link in chain(error, MAX_CHAIN_LINKS):
        yield link.kind
        for code, line in link.frames:
            yield f"  {Path(code.co_filename).name}:{line} in {code.co_name}"
