"""The child: a forked process becomes the console or the command of one session, on streams of its own."""

import fcntl
import os
import resource
import signal
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from typing import Final, NoReturn

from ssh.fork_request import MAX_REQUEST_BYTES, Arrival, ConsoleRequest
from store.errors import GatekeyError
from tui import start_without_gc
from tui.fast_exit import end_process
from tui.store_location import FILES_VARIABLE, NO_FILES

MAX_DATA_BYTES: Final = 1 << 30
"""Private memory that a console may have (RLIMIT_DATA): ten times the 94 MiB of one that is loaded. A password that it
hashes takes 64 MiB more.

RLIMIT_AS would count what is only mapped: each thread maps 8 MiB of stack and up to 64 MiB of heap that it never
touches. There is no RLIMIT_CPU: it counts the whole life of a process, and a console may be open for a day.
"""
MAX_DESCRIPTORS: Final = 256
STDERR: Final = 2
PR_SET_PDEATHSIG: Final = 1
"""prctl(2), linux/prctl.h."""
_DEFAULT_LOCALE: Final = "C.UTF-8"
_OF_THE_SERVER: Final = (
    *("TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "TMUX", "TMUX_PANE", "STY", "ESCDELAY"),
    *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "LC_NUMERIC", "LC_COLLATE"),
    *("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "SSH_AUTH_SOCK", "SSH_ORIGINAL_COMMAND", "DISPLAY", "INVOCATION_ID"),
)
"""Variables that describe the terminal and the person who started the server."""


def begin(streams: Sequence[int], request: int) -> Arrival:
    """Make this process the leader of a session on `streams`, and read what it was forked for.

    `streams` is one terminal, or three pipes in the order of the standard streams. Raises OSError, and ValueError for a
    request that did not come whole.
    """
    _reset_signals()
    os.setsid()
    if len(streams) == 1:
        fcntl.ioctl(streams[0], termios.TIOCSCTTY, 0)
    for standard in (0, 1, 2):
        os.dup2(streams[standard % len(streams)], standard)
    for each in streams:
        os.close(each)
    told = ConsoleRequest.from_bytes(_read_all(request))
    os.environ |= console_variables(told)
    time.tzset()
    limit_resources()
    return Arrival(told, partial(_announce, request))


def end_alone(arrival: Arrival, run: Callable[[Arrival], int]) -> NoReturn:
    """Run what uses nothing that the zygote has prepared, and end the process."""
    status = 1
    try:
        # The driver of the prepared console has set these: a command would stop at ctrl+z, and no shell continues it.
        for number in (signal.SIGTSTP, signal.SIGCONT):
            signal.signal(number, signal.SIG_DFL)
        start_without_gc.resume()
        fresh_streams(is_command=arrival.request.command is not None)
        status = guarded(lambda: run(arrival))
    finally:
        end_process(status)


def forget_terminal() -> None:
    """Forget the terminal and the person of whoever started the server. Each child gets its own."""
    for name in _OF_THE_SERVER:
        os.environ.pop(name, None)


def console_variables(request: ConsoleRequest) -> Mapping[str, str]:
    """The variables that a console gets beside those of the server."""
    told = {
        "TERM": request.term,
        "COLORTERM": request.colorterm,
        "LANG": request.lang or _DEFAULT_LOCALE,
        "TZ": request.zone,
        "SSH_CONNECTION": request.connection,
        FILES_VARIABLE: NO_FILES,
    }
    return {name: value for name, value in told.items() if value}


def limit_resources() -> None:
    """Limit memory and descriptors of this process, and let it not outlive its parent."""
    _lower(resource.RLIMIT_DATA, MAX_DATA_BYTES)
    _lower(resource.RLIMIT_NOFILE, MAX_DESCRIPTORS)
    _lower(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)


def _lower(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(kind, (limit, limit))


def _reset_signals() -> None:
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _read_all(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as stream:
        return stream.read(MAX_REQUEST_BYTES)


def _announce(descriptor: int, hashed: bytes) -> None:
    # Without a server this console is about to be hung up, and ends its session itself.
    with suppress(OSError):
        os.write(descriptor, hashed)


def fresh_streams(*, is_command: bool) -> None:
    """New standard streams. Those of the server were made for others, and may hold their text.

    A command reads and writes through buffers: a pipe gives and takes what it has room for. The console has its own.
    """
    stdin, stdout, stderr = (
        TextIOWrapper(
            _buffered(stream) if is_command and number != STDERR else stream,
            encoding="utf-8",
            errors="replace",
            line_buffering=is_command and os.isatty(number),
            write_through=True,
        )
        for number, stream in enumerate(FileIO(number, mode, closefd=False) for number, mode in enumerate("rww"))
    )
    sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr
    # Textual draws on these.
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = stdin, stdout, stderr  # type: ignore[misc]  # final in typeshed


def _buffered(stream: FileIO) -> BufferedReader | BufferedWriter:
    return BufferedReader(stream) if stream.readable() else BufferedWriter(stream)


def guarded(run: Callable[[], int]) -> int:
    """Run and return the exit status; say a sentence on standard error for an exception."""
    try:
        return run()
    except GatekeyError as error:
        sys.stderr.write(f"gatekey: {error.title}. {error}\n")
    except Exception as error:  # noqa: BLE001 - the outermost boundary: no traceback with local variables
        from tui.crash import crash_message

        sys.stderr.write(f"gatekey: {crash_message(error, None)}\n")
    return 1
