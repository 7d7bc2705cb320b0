"""How the console ends when it did not want to: a clean terminal, a calm sentence, and no secret anywhere.

Textual prints an unhandled exception with the local variables of every frame, and those hold passwords and tokens
(its `App._fatal_error`, textual 8.2.8). `SafeCrashMixin` replaces that.
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
"""Signals after which the terminal is given back in order. Those a system does not have are left out."""

LONGEST_CHAIN: Final = 10
"""Exceptions of one chain that a report lists."""

# A mixin stands before the App it joins, so at run time it has no base of its own.
if TYPE_CHECKING:
    AppPart = App[Any]
else:
    AppPart = object


class SafeCrashMixin(AppPart):
    """Mix into an `App`, before it."""

    crash_log: Path | None = None
    """Where a report is appended, or None for no report."""

    def _fatal_error(self) -> None:
        if self._exit_renderables:
            return  # the first fault is the cause; of more, Textual would print a developer's hint
        error = self._exception or sys.exc_info()[1] or RuntimeError()
        if isinstance(error, WorkerFailed):
            error = error.error
        self.bell()
        self._say_last(crash_message(error, self._report(error)))
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """Ends the console. What would show a traceback shows the calm sentence instead."""
        from rich.traceback import Traceback

        # A stylesheet that does not parse is a fault of the code alone, and its text is nothing but stylesheet.
        if any(isinstance(renderable, StylesheetError) for renderable in renderables):
            super().panic(*renderables)
        elif any(isinstance(renderable, Traceback | BaseException) for renderable in renderables):
            self._return_code = 1
            self._fatal_error()
        else:
            super().panic(*renderables)

    def leave_on_signals(self) -> None:
        """Ends the console on `END_SIGNALS`, with 128 + the signal as return code. Call it in `on_mount`."""
        loop = asyncio.get_running_loop()
        for name in END_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                loop.add_signal_handler(number, partial(self._leave_on, loop, number))

    def _leave_on(self, loop: asyncio.AbstractEventLoop, number: int) -> None:
        # A shell passes on the hangup that its terminal sends as well: the second one would kill what still ends.
        hangup = getattr(signal, "SIGHUP", None)
        if hangup is not None:
            loop.remove_signal_handler(hangup)
        ignore_hangups()
        self.exit(return_code=128 + number)

    def _say_last(self, sentence: str) -> None:
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
    """Let no closed terminal end this process before it has ended by itself."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None:
        signal.signal(hangup, signal.SIG_IGN)


def fault_id(error: BaseException) -> str:
    """Eight digits that are the same for the same fault at the same place."""
    places = "\n".join(_places(error))
    return f"{zlib.crc32(places.encode()):08x}"


def crash_message(error: BaseException, report: Path | None) -> str:
    """The last words on the terminal."""
    kept = f" A report without any of your data is in {report}." if report else ""
    return (
        f"Gatekey stopped because of a fault of its own (fault {fault_id(error)}). Everything you saved is kept.{kept}"
    )


def append_report(path: Path, error: BaseException, now: datetime) -> None:
    """Appends where the fault happened to a 0600 file.

    Types and places only: a message can quote what was typed, and a local variable holds it. Raises OSError.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        lines = "\n  ".join(_places(error))
        file.write(f"{now.isoformat(timespec='seconds')} fault {fault_id(error)}\n  {lines}\n")


def _places(error: BaseException) -> Iterator[str]:
    for link in chain(error, LONGEST_CHAIN):
        yield link.kind
        for code, line in link.frames:
            yield f"  {Path(code.co_filename).name}:{line} in {code.co_name}"
