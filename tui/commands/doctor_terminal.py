"""Doctor: the terminal, its colours and its clipboard."""

import sys
from collections.abc import Iterator, Mapping

from tui.clipboard import expected_route
from tui.commands.findings import Finding, fail, ok, warn
from tui.keymap import ConsoleConfig
from tui.terminal import UTF_8, character_set, refusal, shared_session_banner
from tui.zones import NotAZoneError, zone_named


def examine(environ: Mapping[str, str], config: ConsoleConfig) -> Iterator[Finding]:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    reason = refusal(*streams, environ)
    at_terminal = all(stream is not None and stream.isatty() for stream in streams)
    if reason is None:
        yield ok("terminal", f"The console can draw on {environ['TERM']}.")
    elif at_terminal:
        yield fail("terminal", reason)
    else:
        yield warn("terminal", reason)
    yield colours(environ)
    yield characters(environ, sys.stderr.encoding if sys.stderr is not None else None)
    yield mouse(config)
    yield zone(environ, config)
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


def characters(environ: Mapping[str, str], encoding: str | None) -> Finding:
    """The characters that the console draws with."""
    name = character_set(environ, encoding)
    if name == UTF_8:
        return ok("characters", "UTF-8, with lines and boxes.")
    return warn(
        "characters",
        f"The terminal is set to {name.upper()}: lines are drawn as - and |, and other letters as ?.",
        "Set a UTF-8 locale, such as LC_ALL=C.UTF-8, if the terminal has it.",
    )


def mouse(config: ConsoleConfig) -> Finding:
    if config.mouse:
        return ok("mouse", "The console takes the mouse; Shift with the mouse selects text.")
    return ok("mouse", "Off, as keys.toml says: the terminal selects text by itself.")


def zone(environ: Mapping[str, str], config: ConsoleConfig) -> Finding:
    """The time zone of the console, and a TZ that is not used."""
    name = config.timezone or environ.get("TZ", "").removeprefix(":")
    if not name:
        return ok("time zone", 'Times are in UTC. Another: TZ, or [console] timezone = "Europe/Berlin" in keys.toml.')
    try:
        zone_named(name)
    except NotAZoneError as error:
        return warn("time zone", f"TZ: {error}; times are in UTC.".replace("?;", "? Until then,"), "Set TZ to a name.")
    return ok("time zone", f"Times are in {name}.")
