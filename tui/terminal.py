"""Checks of the terminal and protection of the process, before the console starts."""

import codecs
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from io import TextIOWrapper
from typing import Final, Protocol, TextIO

from tui.themes import ANSI_DARK, DARK

TMUX_TIMEOUT_S: Final = 1.0
"""Seconds to wait for tmux."""

PR_SET_DUMPABLE: Final = 4
"""prctl(2), linux/prctl.h."""

UTF_8: Final = "utf-8"
ASCII: Final = "ascii"
ASCII_TERMINALS: Final = frozenset({"vt52", "vt100", "vt102", "vt220"})
"""Values of TERM for terminals that are older than UTF-8."""

SHARED_SESSION: Final = (
    "This tmux session has other viewers: they see what you see. Detach them before you reveal a secret."
)


class Stream(Protocol):
    """The part of a standard stream that is checked."""

    @property
    def encoding(self) -> str | None: ...

    def isatty(self) -> bool: ...


def refusal(
    stdin: Stream | None, stdout: Stream | None, stderr: Stream | None, environ: Mapping[str, str]
) -> str | None:
    """The reason why the console cannot start here, as a sentence; None if it can.

    All three streams must be the terminal, because the screen is drawn on standard error.
    """
    for name, stream in (("input", stdin), ("output", stdout), ("error", stderr)):
        if stream is None or not stream.isatty():
            return (
                f"The console needs a terminal, and standard {name} is none. For scripts, use: gatekey settings --help"
            )
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        return (
            f"The console cannot draw on this terminal (TERM={term}). "
            "Set TERM to what it is, such as xterm-256color, or use: gatekey settings --help"
        )
    for stream in (stdout, stderr):
        encoding = (stream.encoding if stream else None) or "unknown"
        if not _extends_ascii(encoding):
            return (
                f"This terminal is set to the encoding {encoding}, in which the console cannot draw. "
                "Run it with LC_ALL=C.UTF-8."
            )
    return None


def has_circled_digits(environ: Mapping[str, str]) -> bool:
    """True if the font of the terminal probably has `①`. The fonts of the Linux console have no room for it."""
    return environ.get("TERM", "") != "linux"


def character_set(environ: Mapping[str, str], encoding: str | None) -> str:
    """The character set of the terminal, as Python names it: `utf-8`, `ascii`, or another that extends ASCII.

    `encoding` is that of the stream. The locale decides before it, because Python writes UTF-8 if the locale is `C` or
    is not installed (PEP 538, PEP 540).
    """
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if locale in ("C", "POSIX") or environ.get("TERM") in ASCII_TERMINALS:
        return ASCII
    named = locale.partition("@")[0].partition(".")[2]
    for name in (named, encoding or ""):
        if name and _extends_ascii(name) and codecs.lookup(name).name != UTF_8:
            return codecs.lookup(name).name
    return UTF_8


def write_in(characters: str, stream: TextIO) -> None:
    """Write text to `stream` in this character set. One that it does not have becomes `?`."""
    if characters not in (UTF_8, ASCII) and isinstance(stream, TextIOWrapper):
        stream.reconfigure(encoding=characters, errors="replace")


def _extends_ascii(encoding: str) -> bool:
    """True if text of ASCII characters is the same bytes in `encoding`."""
    ascii_text = "".join(map(chr, range(32, 127)))
    try:
        return ascii_text.encode(encoding) == ascii_text.encode(ASCII)
    except (LookupError, UnicodeError):
        return False


def has_job_control() -> bool:
    """True if a shell is there to continue this process after SIGTSTP.

    The process leads its group, and its parent is in another group of the same session. Without such a parent the group
    is orphaned, and nobody would continue it (POSIX.1-2024, 3.233).
    """
    if sys.platform == "win32" or os.getpgrp() != os.getpid():
        return False
    parent = os.getppid()
    try:
        is_shell = os.getsid(parent) == os.getsid(0) and os.getpgid(parent) != os.getpgrp()
    except OSError:
        return False
    return is_shell and signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN


def erases_in_background(environ: Mapping[str, str], descriptor: int) -> bool:
    """True if terminfo knows that this terminal erases with the background of the pen (its flag `bce`)."""
    try:
        import curses  # not in every build of Python
    except ImportError:
        return False
    try:
        curses.setupterm(environ.get("TERM", ""), descriptor)
    except curses.error:
        return False
    return curses.tigetflag("bce") == 1


def starting_theme(environ: Mapping[str, str], chosen: str | None = None) -> str:
    """The theme at the start. NO_COLOR selects the only theme that sends no colour then.

    An empty NO_COLOR counts as not set (no-color.org).
    """
    if environ.get("NO_COLOR"):
        return ANSI_DARK
    return chosen or DARK


def native_colours(environ: Mapping[str, str]) -> bool | None:
    """The value for `App(ansi_color=...)` that fits `starting_theme`.

    An `App` decides in its constructor how NO_COLOR removes colours. Its default turns the terminal's own colours into
    black on black (8.2.8).
    """
    return True if environ.get("NO_COLOR") else None


def forget_stale_size(environ: MutableMapping[str, str], descriptor: int) -> None:
    """Remove COLUMNS and LINES if the terminal behind `descriptor` reports its size.

    Exported variables keep the size that the window had when the shell started.
    """
    try:
        size = os.get_terminal_size(descriptor)
    except OSError:
        return
    if size.columns and size.lines:
        for name in ("COLUMNS", "LINES"):
            environ.pop(name, None)


def shared_session_banner(environ: Mapping[str, str]) -> str | None:
    """A warning if others are attached to this tmux session, else None.

    Runs tmux for some milliseconds: call it before the console starts, or in a thread.
    """
    pane = environ.get("TMUX_PANE")
    if not environ.get("TMUX") or not pane:
        return None
    question = ("tmux", "display-message", "-p", "-t", pane, "#{session_attached} #{session_group_attached}")
    try:
        answer = subprocess.run(  # noqa: S603 (a fixed program; the pane id is an argument, not a command)
            question, capture_output=True, text=True, timeout=TMUX_TIMEOUT_S, check=False, env=dict(environ)
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    viewers = max((int(word) for word in answer.stdout.split() if word.isdecimal()), default=0)
    return SHARED_SESSION if viewers > 1 else None


def harden_process() -> None:
    """Switch off core files and memory dumps, which would contain passwords, as far as the system allows it."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
