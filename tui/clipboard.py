"""Getting a value out of the console: the clipboard, said honestly, and a file only its owner can read.

A terminal cannot be asked whether it took what it was sent (OSC 52 has no answer), so the sentence of each route
claims what that route knows and no more.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Protocol

from store.errors import GatekeyError, InvalidInput
from store.text import plain

PATIENCE: Final = 2.0
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
        await asyncio.wait_for(process.communicate(text.encode()), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return process.returncode == 0


def suggest_path(name: str, folder: Path | None = None) -> Path:
    """A path for `name`, such as `gatekey-backup-codes.txt`, that is not taken: in `folder`, else at home."""
    wanted = (folder or Path.home()) / name
    path, number = wanted, 2
    while path.exists() or path.is_symlink():
        path = wanted.with_stem(f"{wanted.stem}-{number}")
        number += 1
    return path


def save_secret_file(path: Path, text: str | Iterable[str]) -> int:
    """Writes a new file that only its owner can read (0600), and makes sure it is on the disk.

    `text` may come in pieces, which are written as they come. Returns the size in bytes.

    Raises InvalidInput, with field `path`, when the file exists (links count) or cannot be written; then nothing
    is left behind. It blocks: call it in a thread.
    """
    path = path.expanduser()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        if path.is_dir():
            raise _refusal(path, "{} is a folder. Add the name of a file.") from error
        raise _refusal(path, "There is already a file at {}. Choose another name.") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _refusal(path, "The folder of {} does not exist.") from error
    except PermissionError as error:
        raise _refusal(path, "You may not write to {}.") from error
    except (OSError, ValueError) as error:
        raise _refusal(path, "The file {} could not be created.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()
    except GatekeyError:
        path.unlink(missing_ok=True)
        raise
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _refusal(path, "The file {} could not be written; is the disk full?") from error


def _refusal(path: Path, sentence: str) -> InvalidInput:
    return InvalidInput(sentence.format(plain(path, 200)), field="path")
