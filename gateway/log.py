"""The log of a server: one line for each event, on standard error, without the text of an exception."""

import asyncio
import io
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from select import PIPE_BUF
from typing import Any, Final, TextIO

from store.fault_places import chain

LOG_LEVELS: Final = {"gatekey": logging.INFO, "uvicorn": logging.WARNING}
"""The log of `gatekey serve`: all of Gatekey, and the warnings of uvicorn."""
MAX_LINE_DELAY_S: Final = 0.1
"""Seconds from a request to its line in the log."""
_MAX_CAUSES: Final = 4
_MAX_FRAMES: Final = 24
"""The innermost frames of an exception that are logged."""


class TracebackFormatter(logging.Formatter):
    """Formats an exception as types and places: its message can contain data of a request, and uvicorn would log it."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return traceback_line(ei[1]) if ei[1] is not None else ""


class BatchingHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of an event loop together, at most `MAX_LINE_DELAY_S` after the first, and warnings at once.

    A line alone costs a system call, and some times what it costs among others, whose code is in the caches. The lines
    that wait are written at the end of the program, but not if it is killed. They are written in pieces of whole lines
    that a pipe takes at once, so that lines of several workers do not mix.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: list[logging.LogRecord] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop that will write the lines that wait."""

    def emit(self, record: logging.LogRecord) -> None:
        loop = _running_loop() if record.levelno <= logging.INFO else None
        if loop is None:
            self.flush()
            super().emit(record)
            return
        self._waiting.append(record)
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(MAX_LINE_DELAY_S, self.flush)

    def flush(self) -> None:
        self.acquire()
        try:
            waiting, self._waiting, self._loop = self._waiting, [], None
            for piece in _pieces(self._formatted(waiting)):
                # A failure takes no more than this piece with it, and nobody can be told of a log that is closed.
                with suppress(OSError, ValueError):
                    self.stream.write(piece)
                    self.stream.flush()
            with suppress(OSError, ValueError):
                super().flush()
        finally:
            self.release()

    def _formatted(self, records: Sequence[logging.LogRecord]) -> list[str]:
        """The lines of `records`; one that cannot be formatted is reported as `logging` does."""
        lines, stream = list[str](), self.stream
        for record in records:
            self.stream = io.StringIO()
            try:
                super().emit(record)
                lines.append(self.stream.getvalue())
            finally:
                self.stream = stream
        return lines


def _pieces(lines: Sequence[str]) -> Iterator[str]:
    """`lines` joined, in pieces of at most `PIPE_BUF` bytes, or of one longer line."""
    piece, size = list[str](), 0
    for line in lines:
        length = len(line.encode(errors="replace"))
        if piece and size + length > PIPE_BUF:
            yield "".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += length
    if piece:
        yield "".join(piece)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def log_to_stderr(levels: Mapping[str, int]) -> None:
    """Log to standard error: each of these loggers from its level on, and nothing of other libraries."""
    # No line names them (Python's logging how-to, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = BatchingHandler(sys.stderr)
    handler.setFormatter(TracebackFormatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def traceback_line(error: BaseException) -> str:
    """Types and `file:line:function` of `error` and its causes, on one line."""
    return ", caused by ".join(_chain_locations(error))


def _chain_locations(error: BaseException) -> Iterator[str]:
    for link in chain(error, _MAX_CAUSES):
        places = (
            f"{'/'.join(PurePath(code.co_filename).parts[-2:])}:{line}:{code.co_qualname}"
            for code, line in link.frames[-_MAX_FRAMES:]
        )
        yield " ".join([f"{link.kind} at", *places])
