"""A terminal to run a command in: a real pty in front, pyte behind, and the answers a terminal would give.

    with PtyTerminal(["gatekey", "--demo"]) as terminal:
        terminal.wait_for("Account Binding")
        terminal.press("ctrl+q")
        assert terminal.exit_code() == 0
        assert terminal.left_on == ()

Nothing sleeps: every wait is a select on the pty and on the process's pidfd. What arrives is drawn when
somebody looks, so that a burst can be timed without the cost of drawing it.
"""

import base64
import codecs
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Final, Self

import pyte

from tests.harness.inherited_signals import signals_heard
from tests.harness.pty_screen import Cell, Screen, to_png

__all__ = ["Burst", "Cell", "Chunk", "PtyTerminal", "ScreenTimeoutError", "to_png"]

PATIENCE: Final = 90.0
"""Seconds for whatever is waited for: a machine at work on other things is slow, not broken."""

_KEYS: Final = {
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "escape": "\x1b",
    "space": " ",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "ctrl+pageup": "\x1b[5;5~",
    "ctrl+pagedown": "\x1b[6;5~",
    **{f"f{n}": f"\x1bO{'PQRS'[n - 1]}" for n in range(1, 5)},
    **{f"f{n}": f"\x1b[{code}~" for n, code in zip(range(5, 13), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)},
}
"""The bytes xterm sends for each key, in its default (legacy) keyboard mode."""

_INHERITED_NOT: Final = re.compile(
    r"TERM|TERM_.*|COLORTERM|NO_COLOR|TMUX.*|TEXTUAL.*|ESCDELAY|SSH_.*|LC_.*|LANG|COLUMNS|LINES|GATEKEY_.*"
    r"|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE"
)
_SEQUENCE: Final = re.compile(
    rb"\x1b\[\?(?P<modes>[\d;]+)(?P<set>[hl])"
    rb"|\x1b\[\?(?P<asked>\d+)\$p"
    rb"|\x1b\[>(?P<kitty>\d+)u"
    rb"|(?P<kitty_pop>\x1b\[<\d*u)"
    rb"|(?P<attributes>\x1b\[0?c)"
    rb"|(?P<position>\x1b\[6n)"
    rb"|\x1b\]52;[^;]*;(?P<clipboard>[A-Za-z0-9+/=]*)(?:\x07|\x1b\\)"
)
_UNFINISHED: Final = re.compile(rb"\x1b(?:\[[?<>=]?[\d;]*\$?|\][^\x07\x1b]*\x1b?)?\Z")
_SET_AT_START: Final = frozenset({7, 25})
"""Private modes on in a fresh terminal: autowrap (DECAWM) and a visible cursor (DECTCEM)."""
_MODE_NAMES: Final = {
    7: "autowrap off",
    25: "cursor hidden",
    1000: "mouse clicks",
    1002: "mouse drags",
    1003: "mouse motion",
    1004: "focus reports",
    1006: "SGR mouse",
    1015: "urxvt mouse",
    1016: "mouse pixels",
    1049: "alternate screen",
    2004: "bracketed paste",
    2026: "synchronized output",
    2048: "in-band resize",
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One read from the pty."""

    at: float
    """`time.perf_counter()` when it was read, in seconds."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Burst:
    """The output of a program between a moment and the next silence."""

    since: float
    chunks: tuple[Chunk, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(chunk.data) for chunk in self.chunks)

    @property
    def first(self) -> float:
        """Seconds to the first byte; infinite if none came."""
        return self.chunks[0].at - self.since if self.chunks else float("inf")

    @property
    def last(self) -> float:
        """Seconds to the last byte; infinite if none came."""
        return self.chunks[-1].at - self.since if self.chunks else float("inf")


class ScreenTimeoutError(AssertionError):
    """The screen did not come to show what was waited for; the message holds what it showed."""


class PtyTerminal:
    """A command running in a pty of its own session, and the screen a person would see.

    Args:
        command: the program and its arguments.
        columns: width in cells.
        lines: height in cells.
        term: TERM; "xterm-256color" with an empty `colorterm` has 256 colours, "linux" or "xterm" has 16.
        colorterm: COLORTERM; "truecolor" for 24 bits.
        env: variables to add. Those that describe the surrounding terminal are not inherited.
        cwd: working directory.
        in_band_resize: answer as a terminal that reports its size in band (mode 2048), as kitty does.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        columns: int = 80,
        lines: int = 24,
        term: str = "xterm-256color",
        colorterm: str = "truecolor",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        in_band_resize: bool = False,
    ) -> None:
        self.columns, self.lines = columns, lines
        self.raw = bytearray()
        """Every byte the program wrote."""
        self.modes: dict[int, bool] = {}
        """Private modes the program switched, and how they stand."""
        self.kitty_flags: list[int] = []
        """The stack of kitty keyboard flags the program pushed."""
        self.clipboard: list[str] = []
        """The texts the program sent to the clipboard by OSC 52, oldest first."""
        self._in_band_resize = in_band_resize
        self._screen = Screen(columns, lines)
        self._stream = pyte.Stream(self._screen)
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._unfinished = b""
        self._chunks: list[Chunk] = []
        self._undrawn: list[Chunk] = []
        self._held: list[bytes] = []
        """What came of a synchronized update that has not ended (mode 2026)."""
        self._ended = False
        environment = {name: value for name, value in os.environ.items() if not _INHERITED_NOT.fullmatch(name)}
        environment |= {"TERM": term, "LANG": "C.UTF-8"} | ({"COLORTERM": colorterm} if colorterm else {})
        self._master, slave = os.openpty()
        self._set_size()
        self._attributes = termios.tcgetattr(slave)
        path = os.ttyname(slave)
        self.started = perf_counter()
        # The shell becomes leader of a new session, and the first terminal a leader opens becomes its own.
        with signals_heard():
            self._process = subprocess.Popen(
                ["sh", "-c", 'tty=$1; shift; exec "$@" <>"$tty" >&0 2>&0', "sh", path, *map(str, command)],
                env=environment | dict(env or {}),
                cwd=cwd,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._pidfd = os.pidfd_open(self._process.pid)
        self._slave = slave

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    # What a person does

    def type(self, text: str) -> None:
        """Type text as it is."""
        self.send(text.encode())

    def press(self, *keys: str) -> None:
        """Press keys by Textual's names: "a", "enter", "ctrl+s", "shift+tab", "f1", "ctrl+pagedown"."""
        for key in keys:
            if key in _KEYS:
                self.type(_KEYS[key])
            elif key.startswith("ctrl+") and len(key) == 6:
                self.type(chr(ord(key[-1].upper()) & 0x1F))
            elif key.startswith("alt+"):
                self.type("\x1b" + _KEYS.get(key[4:], key[4:]))
            elif len(key) == 1:
                self.type(key)
            else:
                raise ValueError(f"No such key: {key!r}")

    def paste(self, text: str) -> None:
        """Paste text with brackets (mode 2004), or as if typed where the program did not ask for them."""
        self.type(f"\x1b[200~{text}\x1b[201~" if self.modes.get(2004) else text)

    def resize(self, columns: int, lines: int) -> None:
        """Make the window another size (the kernel sends SIGWINCH)."""
        self._draw()
        self.columns, self.lines = columns, lines
        self._screen.resize(lines, columns)
        self._set_size()
        if self.modes.get(2048):
            self._report_size()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        signal.pidfd_send_signal(self._pidfd, number)

    def hang_up(self) -> None:
        """Close the window: the kernel sends SIGHUP, and every later read or write of the program fails."""
        os.close(self._slave)
        os.close(self._master)
        self._slave = self._master = -1

    # What a person sees

    def screen_text(self) -> str:
        """The screen's text, lines joined by newlines, spaces at their ends removed."""
        self._draw()
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def cells(self) -> list[list[Cell]]:
        """The screen, by line and column."""
        self._draw()
        return self._screen.cells

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and line of the cursor, from 0."""
        self._draw()
        return self._screen.cursor.x, self._screen.cursor.y

    @property
    def left_on(self) -> tuple[str, ...]:
        """The modes that stand otherwise than in a fresh terminal: empty after a clean exit."""
        self._draw()
        changed = [
            _MODE_NAMES.get(mode, f"mode {mode}")
            for mode, on in sorted(self.modes.items())
            if on != (mode in _SET_AT_START)
        ]
        if self.kitty_flags:
            changed.append("kitty keyboard")
        if self._screen.cursor.attrs != self._screen.default_char:
            changed.append("colour")
        if self._slave >= 0 and termios.tcgetattr(self._slave) != self._attributes:
            changed.append("raw input")
        return tuple(changed)

    # Waiting

    def wait_for(self, condition: "str | Callable[[PtyTerminal], bool]", timeout: float = PATIENCE) -> None:
        """Wait until a text is on the screen or a condition holds.

        Raises ScreenTimeoutError after `timeout` seconds, or when the program ended first.
        """
        deadline = perf_counter() + timeout
        while not (condition in self.screen_text() if isinstance(condition, str) else condition(self)):
            if not self._read(deadline):
                how = "the program ended" if self._ended else f"{timeout} s passed"
                raise ScreenTimeoutError(f"Waited for {condition!r}; {how} at:\n{self.screen_text()}")

    def settle(self, quiet: float = 0.25, timeout: float = 10.0, since: float | None = None) -> Burst:
        """Collect output until none came for `quiet` seconds, the program ended, or `timeout` seconds passed.

        Nothing is drawn meanwhile, so that the times are the program's alone.

        Args:
            since: the moment times count from, as `perf_counter` gives it; now if None.
        """
        begun = perf_counter()
        count = len(self._chunks)
        while self._read(min(perf_counter() + quiet, begun + timeout)):
            pass
        return Burst(begun if since is None else since, tuple(self._chunks[count:]))

    def drawn_at(self, condition: "str | Callable[[PtyTerminal], bool]") -> float:
        """The time when the output not yet looked at made a condition true, as `perf_counter` gives it.

        Draws as far as that. Infinite, and all drawn, if it never did.
        """
        chunks, self._undrawn = self._undrawn, []
        for index, chunk in enumerate(chunks):
            self._undrawn = [chunk]
            if condition in self.screen_text() if isinstance(condition, str) else condition(self):
                self._undrawn = chunks[index + 1 :]
                return chunk.at
        return float("inf")

    def exit_code(self, timeout: float = PATIENCE) -> int:
        """Wait for the program's end and return its exit status, negative for a signal.

        Raises ScreenTimeoutError after `timeout` seconds.
        """
        deadline = perf_counter() + timeout
        while self._read(deadline):
            pass
        if not self._ended:
            raise ScreenTimeoutError(f"The program did not end within {timeout} s:\n{self.screen_text()}")
        return self._process.wait()

    def close(self) -> None:
        """Kill the program if it still runs, and close the pty."""
        if self._pidfd < 0:
            return
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for descriptor in (self._slave, self._master, self._pidfd):
            if descriptor >= 0:
                os.close(descriptor)
        self._pidfd = self._slave = self._master = -1
        self._ended = True

    # The wire

    def _set_size(self) -> None:
        size = struct.pack("HHHH", self.lines, self.columns, self.lines * 16, self.columns * 8)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def _report_size(self) -> None:
        self.send(f"\x1b[48;{self.lines};{self.columns};{self.lines * 16};{self.columns * 8}t".encode())

    def send(self, data: bytes) -> None:
        """Write bytes to the program, reading meanwhile: a pty full both ways would block for good."""
        while data and not self._ended and self._master >= 0:
            _, writable, _ = select.select([], [self._master], [], 0)
            if writable:
                data = data[os.write(self._master, data[:1024]) :]
            else:
                select.select([self._master, self._pidfd], [self._master], [])
                self._read(perf_counter())

    def _read(self, deadline: float) -> bool:
        """Take one chunk; False at the deadline, and once the program ended and all it wrote was taken."""
        if self._ended:
            return False
        watched = [descriptor for descriptor in (self._master, self._pidfd) if descriptor >= 0]
        readable, _, _ = select.select(watched, [], [], max(0.0, deadline - perf_counter()))
        if self._master in readable:
            data = os.read(self._master, 65536)
            self._take(Chunk(perf_counter(), data))
            return True
        self._ended = self._pidfd in readable
        return False

    def _take(self, chunk: Chunk) -> None:
        self.raw += chunk.data
        self._chunks.append(chunk)
        data = self._unfinished + chunk.data
        unfinished = _UNFINISHED.search(data)
        self._unfinished = unfinished.group() if unfinished else b""
        data = data.removesuffix(self._unfinished)
        drawn = 0
        for match in _SEQUENCE.finditer(data):
            # pyte would print the "u" of a kitty sequence, so it sees none of these but the modes.
            shown = match.end() if match["modes"] else match.start()
            self._show(Chunk(chunk.at, data[drawn:shown]))
            drawn = match.end()
            self._obey(match.groupdict())
        self._show(Chunk(chunk.at, data[drawn:]))

    def _show(self, chunk: Chunk) -> None:
        """Draw a chunk later, and all of a synchronized update at its end, as a terminal does."""
        self._held.append(chunk.data)
        if not self.modes.get(2026):
            self._undrawn.append(Chunk(chunk.at, b"".join(self._held)))
            self._held = []

    def _obey(self, sequence: Mapping[str, bytes | None]) -> None:
        if modes := sequence["modes"]:
            for mode in map(int, modes.split(b";")):
                self.modes[mode] = sequence["set"] == b"h"
                if mode == 2048 and self.modes[mode]:
                    self._report_size()
        elif asked := sequence["asked"]:
            known = {b"2026": True, b"2048": self._in_band_resize}.get(asked, False)
            self.send(f"\x1b[?{asked.decode()};{2 if known else 0}$y".encode())
        elif flags := sequence["kitty"]:
            self.kitty_flags.append(int(flags))
        elif sequence["kitty_pop"]:
            del self.kitty_flags[-1:]
        elif sequence["attributes"]:
            self.send(b"\x1b[?62;22c")
        elif sequence["position"]:
            column, line = self.cursor
            self.send(f"\x1b[{line + 1};{column + 1}R".encode())
        elif (clipboard := sequence["clipboard"]) is not None:
            self.clipboard.append(base64.b64decode(clipboard).decode())

    def _draw(self) -> None:
        if self._ended and self._held:  # a program that was killed ends no update
            self._undrawn.append(Chunk(perf_counter(), b"".join(self._held)))
            self._held = []
        chunks, self._undrawn = self._undrawn, []
        for chunk in chunks:
            self._stream.feed(self._decode(chunk.data))
