"""Doctor: the terminal, its colours and its clipboard."""

import sys
from collections.abc import Iterator, Mapping

from tui.clipboard import expected_route
from tui.commands.findings import Finding, fail, ok, warn
from tui.terminal import refusal, shared_session_banner


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    reason = refusal(*streams, environ)
    at_terminal = all(stream is not None and stream.isatty() for stream in streams)
    if reason is None:
        yield ok("terminal", f"The console can draw on {environ['TERM']}, in UTF-8.")
    elif at_terminal:
        yield fail("terminal", reason)
    else:
        yield warn("terminal", reason)
    yield colours(environ)
    yield ok("clipboard", f"What the console says after a copy here: {expected_route(environ).value}.")
    shared = shared_session_banner(environ)
    if shared is not None:
        yield warn("tmux", shared)


def colours(environ: Mapping[str, str]) -> Finding:
    """The number of colours that the terminal reports."""
    if environ.get("NO_COLOR"):
        return ok("colours", "None: NO_COLOR is set.")
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return ok("colours", "True colour.")
    if "256" in environ.get("TERM", ""):
        return ok("colours", "256. Over SSH, SendEnv and AcceptEnv COLORTERM bring true colour along.")
    return warn(
        "colours", "The terminal tells of 16 colours at most.", "Set TERM to one of 256, such as xterm-256color."
    )
