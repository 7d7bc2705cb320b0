"""Streams of a command: data on standard output, status on standard error, secrets on standard input."""

import codecs
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Final, TextIO

from store.errors import InvalidInput, OutputFailed
from store.text import cell_width, is_sanitized, pad, sanitize

MAX_SECRET_BYTES: Final = 16_384
"""More than any stored secret has. A longer input, such as a wrong file, is refused and not cut."""


def prepare() -> None:
    """Write a question mark for each character that the encoding of the output does not have.

    What was printed before is flushed. Raises as `print_data`.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        with _output():
            sys.stdout.reconfigure(errors="replace")


def print_data(line: str = "") -> None:
    """Print a line of data. Raises `OutputFailed`, and BrokenPipeError if the reader has gone."""
    with _output() as stream:
        stream.write(line + "\n")


def print_path(path: Path) -> None:
    """Print a path on a line: unchanged bytes for a program, sanitized for a terminal. Raises as `print_data`.

    A name on Linux is bytes and may not be UTF-8 (path_resolution(7)).
    """
    with _output() as stream:
        if stream.isatty():
            stream.write(sanitize(path) + "\n")
            return
        stream.flush()
        stream.buffer.write(os.fsencode(path) + b"\n")


def print_pieces(pieces: Iterable[str]) -> None:
    """Print data in pieces, each at once. Raises as `print_data`, and the errors of the iterable."""
    for piece in pieces:
        with _output() as stream:
            stream.write(piece)


def print_json(document: object) -> None:
    """Print a JSON document. Raises as `print_data`.

    Control characters are written as \\u escapes, and so is everything beyond ASCII if the output is not UTF-8.
    """
    import json

    text = json.dumps(document, indent=2, ensure_ascii=False)
    is_safe = _speaks_utf8() and all(is_sanitized(line) for line in text.split("\n"))
    print_data(text if is_safe else json.dumps(document, indent=2))


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns below their names. Raises as `print_data`."""
    table = [list(head), *([sanitize(cell, 200) for cell in row] for row in rows)]
    widths = [max(cell_width(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        print_data("  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_status(sentence: str) -> None:
    """Print a sentence on standard error, if there is one."""
    if sys.stderr is not None:
        sys.stderr.write(sanitize(sentence) + "\n")


def flush() -> None:
    """Flush standard output while a failure can still be reported. Raises as `print_data`."""
    if sys.stdout is not None:
        with _output() as stream:
            stream.flush()


def is_terminal() -> bool:
    """True if standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def confirm(question: str, *, answer: str = "yes") -> bool:
    """Ask `question`, which names `answer`; returns whether that is the answer."""
    if sys.stderr is None:
        return False
    sys.stderr.write(sanitize(question) + " ")
    sys.stderr.flush()
    return sys.stdin is not None and sys.stdin.readline().strip() == answer


def prompt(question: str) -> None:
    """Write a question on standard error; the answer stands behind it."""
    if sys.stderr is not None:
        sys.stderr.write(sanitize(question))
        sys.stderr.flush()


def read_typed_line() -> str | None:
    """The line that a person types, without blanks around it; None at the end of the input. Raises `InvalidInput`."""
    if sys.stdin is None:
        return None
    raw = sys.stdin.buffer.readline(MAX_SECRET_BYTES + 1)
    return _decoded(raw[:MAX_SECRET_BYTES], "answer").strip() if raw else None


def read_unseen_line(question: str) -> str | None:
    """Ask for a line that a person types without an echo; None at the end of the input.

    The question is written once the echo is off, so that nothing of an answer typed at once is shown.
    """
    from getpass import getpass

    try:
        return getpass(sanitize(question), stream=sys.stderr)
    except EOFError:
        return None


def read_next_line(what: str) -> str:
    """Read the next line of standard input, without its end. A UTF-8 byte order mark is left out.

    Raises `InvalidInput`, which names `what`, if the line is empty, missing, too long, or not UTF-8.
    """
    if sys.stdin is None:
        raise InvalidInput(f"There is no standard input to read the {what} from.")
    raw = sys.stdin.buffer.readline(MAX_SECRET_BYTES + 1)
    if len(raw) > MAX_SECRET_BYTES:
        raise InvalidInput(f"The {what} on standard input is longer than {MAX_SECRET_BYTES} bytes.")
    return _nonempty(_decoded(raw, what).removesuffix("\n").removesuffix("\r"), what)


def read_secret(what: str, *, confirm: bool = False) -> str:
    """Read the secret `what` from standard input, without one line break at its end.

    At a terminal it is typed without an echo, and twice if `confirm`. A UTF-8 byte order mark is left out. Raises
    `InvalidInput` if the secret is empty, too long, not UTF-8, or different the second time.
    """
    if sys.stdin is None:
        raise InvalidInput(f"There is no standard input to read the {what} from.")
    if is_terminal():
        typed = _ask(f"{what.capitalize()}: ")
        if confirm and _ask(f"{what.capitalize()} again: ") != typed:
            raise InvalidInput(f"The {what} was not the same twice.")
        return _nonempty(typed, what)
    text = _piped(sys.stdin, what)
    return _nonempty(text.removesuffix("\n").removesuffix("\r"), what)


def read_line(what: str) -> str:
    """Read `what`, which is not secret, from standard input; a terminal is asked for one line.

    Raises `InvalidInput` if it is empty, too long or not UTF-8.
    """
    if sys.stdin is None:
        raise InvalidInput(f"There is no standard input to read the {what} from.")
    if is_terminal() and sys.stderr is not None:
        sys.stderr.write(f"{what.capitalize()}: ")
        sys.stderr.flush()
        return _nonempty(sys.stdin.readline().strip(), what)
    return _nonempty(_piped(sys.stdin, what).strip(), what)


def _speaks_utf8() -> bool:
    encoding = (sys.stdout.encoding if sys.stdout is not None else None) or ""
    return encoding.lower().replace("-", "").replace("_", "") == "utf8"


def _piped(stream: TextIO, what: str) -> str:
    """All of standard input, which is no terminal. Raises `InvalidInput`."""
    raw = stream.buffer.read(MAX_SECRET_BYTES + 1)
    if len(raw) > MAX_SECRET_BYTES:
        raise InvalidInput(f"The {what} on standard input is longer than {MAX_SECRET_BYTES} bytes.")
    return _decoded(raw, what)


def _decoded(raw: bytes, what: str) -> str:
    """Bytes from standard input as text, without a byte order mark. Raises `InvalidInput`."""
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
        # The interpreter flushes standard output again at its end, which would fail again.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputFailed from error


def _ask(prompt: str) -> str:
    from getpass import getpass

    try:
        return getpass(prompt, stream=sys.stderr)
    except EOFError:
        return ""


def _nonempty(text: str, what: str) -> str:
    if not text:
        raise InvalidInput(f"The {what} on standard input is empty.")
    return text
