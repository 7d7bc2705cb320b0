"""What must be true of the terminal and of the process before the console draws its first cell."""

import os
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from typing import Final, Protocol

from tui.themes import ANSI_DARK, DARK

TMUX_TIMEOUT_S: Final = 1.0
"""Seconds tmux has to answer."""

PR_SET_DUMPABLE: Final = 4
"""prctl(2), linux/prctl.h."""

SHARED_SESSION: Final = (
    "This tmux session has other viewers: they see what you see. Detach them before you reveal a secret."
)


class Stream(Protocol):
    """The part of a standard stream that this needs."""

    @property
    def encoding(self) -> str | None: ...

    def isatty(self) -> bool: ...


def refusal(
    stdin: Stream | None, stdout: Stream | None, stderr: Stream | None, environ: Mapping[str, str]
) -> str | None:
    """One sentence that says why the console cannot start here, or None when it can.

    The screen is drawn on standard error, so all three streams must be the terminal.
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
        if encoding.lower().replace("-", "").replace("_", "") != "utf8":
            return (
                f"This terminal is set to the encoding {encoding}, and the console needs UTF-8. "
                "Run it with LC_ALL=C.UTF-8."
            )
    return None


def starting_theme(environ: Mapping[str, str], chosen: str | None = None) -> str:
    """The theme to start with. Under NO_COLOR it is the one theme that then sends no colour at all.

    An empty NO_COLOR counts as not set (no-color.org).
    """
    if environ.get("NO_COLOR"):
        return ANSI_DARK
    return chosen or DARK


def native_colours(environ: Mapping[str, str]) -> bool | None:
    """For `App(ansi_color=...)`, which goes with `starting_theme`.

    An `App` decides once, while it is made, how it takes the colours out. Left to itself under NO_COLOR it would
    turn the terminal's own colours into grey levels of nothing: black on black (textual 8.2.8).
    """
    return True if environ.get("NO_COLOR") else None


def believe_the_terminal(environ: MutableMapping[str, str], descriptor: int) -> None:
    """Forget COLUMNS and LINES where the terminal behind `descriptor` tells its size.

    Exported once, they are as old as the shell's start, and the window has been resized since.
    """
    try:
        size = os.get_terminal_size(descriptor)
    except OSError:
        return
    if size.columns and size.lines:
        for name in ("COLUMNS", "LINES"):
            environ.pop(name, None)


def shared_session_banner(environ: Mapping[str, str]) -> str | None:
    """A sentence for the top of the screen when others are attached to this tmux session, else None.

    It asks tmux, which takes some milliseconds: call it before the console starts, or in a thread.
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
    """No core file and no memory dump: both would hold passwords. Does what the system allows, and is silent."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
