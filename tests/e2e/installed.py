"""The installed command in a terminal of its own, on a folder of its own, as a person meets it."""

import re
import subprocess
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from store.tokens import ACCESS_TOKEN_PATTERN
from tests.harness.pty_terminal import PtyTerminal
from tests.harness.stores import PASSWORD

GATEKEY: Final = Path(sysconfig.get_path("scripts")) / "gatekey"
PATIENCE: Final = 90.0
"""Seconds for whatever is waited for: a machine at work on other things is slow, not broken."""
LEFT_THE_SCREEN: Final = b"\x1b[?1049l"
MASKED: Final = "•"
MARKER: Final = "▌"
"""Stands before the label of the field that has the focus."""
_TOKEN: Final = re.compile(ACCESS_TOKEN_PATTERN)
_KEY_ROW: Final = re.compile(r"\b(?:[A-Z2-7]{4} ){3}[A-Z2-7]{4}\b")
_LISTENS: Final = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")
_FRAME: Final = "│╭╮╰╯─"


@dataclass
class Serving:
    """A gateway that runs. `log` is what it said after it began to listen, once it has stopped."""

    port: int
    log: str = ""


class Home:
    """A person's folders below `folder`, private as the product makes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.database = self.data / "gatekey.sqlite3"
        self.config = folder / "config" / "gatekey"
        for private in (self.data, self.config):
            private.mkdir(mode=0o700, parents=True)

    @property
    def env(self) -> dict[str, str]:
        """The environment in which every file is created in `folder`."""
        return {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "share"),
            "XDG_RUNTIME_DIR": str(self.folder),
            "GATEKEY_DATABASE": str(self.database),
            "GATEKEY_KEY_FILE": str(self.config / "key"),
            "PYTHONWARNINGS": "error",
        }

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command without a terminal."""
        return subprocess.run(
            [str(GATEKEY), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **self.env},
            timeout=PATIENCE,
            check=False,
        )

    def add_account(self, name: str, *more: str) -> None:
        """Add an account whose password is `PASSWORD`."""
        words = ("admin", "user", "add", name, "--email", "alice@example.com", "--password-stdin", *more)
        added = self.run(*words, stdin=PASSWORD)
        assert added.returncode == 0, added.stderr

    @contextmanager
    def serving(self, *command: str) -> Iterator["Serving"]:
        """A gateway on a free port; on leaving it is told to stop, and has to stop cleanly.

        `command` is the command line without the port.
        """
        with subprocess.Popen(
            [str(GATEKEY), *(command or ("serve",)), "--port", "0"],
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            assert process.stdout is not None
            try:
                found = next((match for line in process.stderr if (match := _LISTENS.search(line))), None)
                assert found is not None, "it ended"
                running = Serving(int(found[1]))
                yield running
            finally:
                process.terminate()
                log = process.stderr.read()
            running.log = log
            assert process.wait(PATIENCE) == 0
            assert process.stdout.read() == ""

    def console(self, *arguments: str, env: Mapping[str, str] | None = None, **options: Any) -> "Installed":
        """Open the console; `options` are those of `PtyTerminal`."""
        return Installed([GATEKEY, *arguments], env={**self.env, **(env or {})}, cwd=self.folder, **options)


class Installed(PtyTerminal):
    """A terminal that waits for what it needs to see before it goes on typing."""

    _is_answered = True
    """Something was waited for since the last key."""
    _last = ""
    """The last key."""

    def type(self, text: str) -> None:
        # Two writes may be one read, and then a key behind Escape is that key with Alt.
        assert self._is_answered or self._last != "\x1b", "Escape has to be waited for before the next key"
        self._is_answered, self._last = False, text
        super().type(text)

    def until(self, condition: "str | Callable[[PtyTerminal], bool]") -> None:
        """Wait for a text on the screen, wherever its lines break, or for a condition.

        Raises AssertionError if a key was pressed and the text is there already: the wait would be over before the
        program has read the key.
        """
        if isinstance(condition, str):
            sentence = " ".join(condition.split())
            assert self._is_answered or sentence not in self.words(), f"{sentence!r} is on the screen already"
            self.wait_for(lambda _: sentence in self.words(), PATIENCE)
        else:
            self.wait_for(condition, PATIENCE)
        self._is_answered = True

    def until_gone(self, sentence: str) -> None:
        """Wait until a text is no longer on the screen."""
        self.wait_for(lambda _: sentence not in self.words(), PATIENCE)
        self._is_answered = True

    def words(self) -> str:
        """The screen's text on one line, without the frames of dialogs."""
        return " ".join(self.screen_text().translate(dict.fromkeys(map(ord, _FRAME), " ")).split())

    def row(self, label: str) -> int:
        """The row of the field with that label, or -1."""
        begins = re.compile(rf"(?:^|.*│)[\s{MARKER}]*{re.escape(label)}\b")
        lines = self.screen_text().split("\n")
        return next((number for number, line in enumerate(lines) if begins.match(line)), -1)

    def has_focus(self, label: str) -> bool:
        """True if the field with that label is marked as the one that has the focus."""
        row = self.row(label)
        return row >= 0 and MARKER in self.screen_text().split("\n")[row].partition(label)[0]

    def fill(self, label: str, text: str, *, masked: bool = False) -> None:
        """Type into the field with that label, once it has the focus; wait until it shows."""
        self.until(lambda _: self.has_focus(label))
        self.type(text)
        shown = MASKED * len(text) if masked else text
        self.until(lambda _: shown in self.screen_text().split("\n")[self.row(label)])

    def enter(self, label: str, text: str, *, masked: bool = False) -> None:
        """`fill`, then Enter."""
        self.fill(label, text, masked=masked)
        self.press("enter")

    def after(self) -> bytes:
        """The output after the alternate screen was left."""
        return bytes(self.raw).rpartition(LEFT_THE_SCREEN)[2]

    def quit(self) -> None:
        """Leave as a person does; nothing is left on and nothing is said."""
        self.press("ctrl+q")
        assert self.exit_code(PATIENCE) == 0
        assert self.left_on == ()


def step_now() -> int:
    return int(datetime.now(UTC).timestamp()) // 30


def shown_token(terminal: Installed) -> str:
    """Wait for a System Access Token that can be read, and read it."""
    terminal.until(lambda _: _TOKEN.search(terminal.words()) is not None)
    return next(_TOKEN.finditer(terminal.words()))[0]


def shown_key(terminal: Installed) -> str:
    """Wait for the manual key of the wizard's first step, and read it."""
    terminal.until(lambda _: len(_KEY_ROW.findall(terminal.screen_text())) == 2)
    return "".join(_KEY_ROW.findall(terminal.screen_text())).replace(" ", "")
