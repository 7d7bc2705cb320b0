"""Getting a value out of the console by the clipboard, said honestly.

A terminal cannot be asked whether it took what it was sent (OSC 52 has no answer), so the sentence of each route
claims what that route knows and no more.
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
"""Seconds a clipboard program has to take the text."""

LOCAL_PROGRAMS: Final = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)
"""The variable of a display, and the program that fills its clipboard from standard input."""


class Route(Enum):
    """Where a copied text went; the value is the sentence to show."""

    CLIPBOARD = "Copied to the clipboard"
    TMUX = "Copied to the tmux buffer"
    TERMINAL = "Sent to the terminal's clipboard"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was done with a text. It never holds the text."""

    route: Route

    @property
    def sentence(self) -> str:
        return self.route.value


class ClipboardTerminal(Protocol):
    """The part of an `App` that this needs."""

    def copy_to_clipboard(self, text: str) -> None: ...


async def copy(app: ClipboardTerminal, text: str, environ: Mapping[str, str] | None = None) -> Copied:
    """Copies `text` by the first route that works: this machine's display, tmux, the terminal (OSC 52).

    The text goes through standard input, never through arguments that other users can list.
    """
    environ = os.environ if environ is None else environ
    if (program := _local_program(environ)) and await _feed(program, text):
        return Copied(Route.CLIPBOARD)
    # -w hands it on to the outer terminal too, which tmux refuses to do with an OSC 52 of our own by default.
    if environ.get("TMUX") and await _feed(("tmux", "load-buffer", "-w", "-"), text):
        return Copied(Route.TMUX)
    app.copy_to_clipboard(text)
    return Copied(Route.TERMINAL)


def expected_route(environ: Mapping[str, str]) -> Route:
    """The route that `copy` would try first; it takes the next one if that does not answer."""
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
