"""Copies text to the clipboard.

A terminal does not confirm a copy (OSC 52 has no answer), so the sentence of each route claims only what is known.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

TOOL_TIMEOUT_S: Final = 2.0
"""Seconds that a clipboard program may take."""

LOCAL_PROGRAMS: Final = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)
"""The variable of a display, and the program that sets its clipboard from standard input."""


class Route(Enum):
    """The destination of a copied text; the value is the sentence to show."""

    CLIPBOARD = "Copied to the clipboard"
    TMUX = "Copied to the tmux buffer"
    TERMINAL = "Sent to the terminal's clipboard"


@dataclass(frozen=True, slots=True)
class Copied:
    """The result of a copy, without the text."""

    route: Route

    @property
    def sentence(self) -> str:
        return self.route.value


class ClipboardTerminal(Protocol):
    """The part of an `App` that copying uses."""

    def copy_to_clipboard(self, text: str) -> None: ...


async def copy(app: ClipboardTerminal, text: str, environ: Mapping[str, str] | None = None) -> Copied:
    """Copy `text` by the first route that works: this machine's display, tmux, the terminal (OSC 52).

    Programs get the text on standard input, because other users can list their arguments.
    """
    environ = os.environ if environ is None else environ
    if (program := _local_program(environ)) and await _feed(program, text):
        return Copied(Route.CLIPBOARD)
    # -w also sends it to the outer terminal; by default tmux blocks an OSC 52 of our own.
    if environ.get("TMUX") and await _feed(("tmux", "load-buffer", "-w", "-"), text):
        return Copied(Route.TMUX)
    app.copy_to_clipboard(text)
    return Copied(Route.TERMINAL)


def expected_route(environ: Mapping[str, str]) -> Route:
    """The route that `copy` tries first; if it fails, `copy` tries the next."""
    if _local_program(environ):
        return Route.CLIPBOARD
    return Route.TMUX if environ.get("TMUX") else Route.TERMINAL


def _local_program(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    if environ.get("SSH_CONNECTION"):
        return None
    if sys.platform == "darwin":
        return ("pbcopy",)
    for variable, program in LOCAL_PROGRAMS:
        if environ.get(variable) and shutil.which(program[0], path=environ.get("PATH")):
            return program
    return None


async def _feed(program: tuple[str, ...], text: str) -> bool:
    silent = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *program, stdin=asyncio.subprocess.PIPE, stdout=silent, stderr=silent
        )
    except OSError:
        return False
    try:
        await asyncio.wait_for(process.communicate(text.encode()), TOOL_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return process.returncode == 0
