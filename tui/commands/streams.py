"""What a command says: data on standard output, talk on standard error, secrets from standard input only."""

import codecs
import getpass
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Final, TextIO

from store.errors import InvalidInput, OutputFailed
from store.text import is_sanitized, sanitize

LONGEST_SECRET: Final = 16_384
"""Bytes. Longer than anything that is kept, so that a file sent by mistake is refused and not cut."""


def prepare() -> None:
    """Let no character stop a command half way: what the output's encoding does not have becomes a question mark."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def print_data(line: str = "") -> None:
    """One line of data. Raises `OutputFailed`, and BrokenPipeError when nobody reads on."""
    with _output() as stream:
        stream.write(line + "\n")


def print_path(path: Path) -> None:
    """Print the path of a file on a line: its bytes for a program, but nothing that a terminal obeys.

    Raises as `print_data`.

    A name on Linux is bytes, not text (path_resolution(7)): what is not UTF-8 in it would not name the file again.
    """
    with _output() as stream:
        if stream.isatty():
            stream.write(sanitize(path) + "\n")
            return
        stream.flush()
        stream.buffer.write(os.fsencode(path) + b"\n")


def print_pieces(pieces: Iterable[str]) -> None:
    """Data that comes in pieces, as it comes. Raises as `print_data`, and what the pieces raise."""
    for piece in pieces:
        with _output() as stream:
            stream.write(piece)


def print_json(document: object) -> None:
    """One JSON document. Raises as `print_data`.

    Characters a terminal could obey leave as \\u escapes, and so do all beyond ASCII where the output is not UTF-8.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False)
    is_safe = _speaks_utf8() and all(is_sanitized(line) for line in text.split("\n"))
    print_data(text if is_safe else json.dumps(document, indent=2))


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns under a line of their names. Raises as `print_data`."""
    table = [list(head), *([sanitize(cell, 200) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        print_data("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_status(sentence: str) -> None:
    """One line of talk. Where nobody can hear it, nothing is said."""
    if sys.stderr is not None:
        sys.stderr.write(sanitize(sentence) + "\n")


def flush() -> None:
    """Hand over all data now, while a failure can still be told. Raises as `print_data`."""
    if sys.stdout is not None:
        with _output() as stream:
            stream.flush()


def is_terminal() -> bool:
    """Whether a person at a terminal can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def confirm(question: str, *, answer: str = "yes") -> bool:
    """Whether the person at the terminal answers with `answer`, which the question names."""
    if sys.stderr is None:
        return False
    sys.stderr.write(sanitize(question) + " ")
    sys.stderr.flush()
    return sys.stdin is not None and sys.stdin.readline().strip() == answer


def read_secret(what: str, *, confirm: bool = False) -> str:
    """`what`, from standard input: all of it but one line break at the end.

    At a terminal it is typed unseen, twice if `confirm`. A byte order mark before UTF-8 is left out. Raises
    `InvalidInput` if it is empty, too long, not UTF-8, or not the same twice.
    """
    if sys.stdin is None:
        raise InvalidInput(f"There is no standard input to read the {what} from.")
    if is_terminal():
        typed = _ask(f"{what.capitalize()}: ")
        if confirm and _ask(f"{what.capitalize()} again: ") != typed:
            raise InvalidInput(f"The {what} was not the same twice.")
        return _nonempty(typed, what)
    raw = sys.stdin.buffer.read(LONGEST_SECRET + 1)
    if len(raw) > LONGEST_SECRET:
        raise InvalidInput(f"The {what} on standard input is longer than {LONGEST_SECRET} bytes.")
    text = _decoded(raw, what)
    return _nonempty(text.removesuffix("\n").removesuffix("\r"), what)


def _speaks_utf8() -> bool:
    encoding = (sys.stdout.encoding if sys.stdout is not None else None) or ""
    return encoding.lower().replace("-", "").replace("_", "") == "utf8"


def _decoded(raw: bytes, what: str) -> str:
    """Bytes from standard input as text; the mark that some editors begin UTF-8 with is not part of it."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in raw:
        raise InvalidInput(f"The {what} on standard input is UTF-16, or no text. Send it as UTF-8.")
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The {what} on standard input is not UTF-8 text.") from error


@contextmanager
def _output() -> Iterator[TextIO]:
    if sys.stdout is None:
        raise OutputFailed
    try:
        yield sys.stdout
    except OSError as error:
        # The interpreter flushes standard output once more at its end, and would complain there.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputFailed from error


def _ask(prompt: str) -> str:
    try:
        return getpass.getpass(prompt, stream=sys.stderr)
    except EOFError:
        return ""


def _nonempty(text: str, what: str) -> str:
    if not text:
        raise InvalidInput(f"The {what} on standard input is empty.")
    return text
