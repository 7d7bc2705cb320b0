"""Checked before the first cell is drawn: is it a terminal, can it show text, and who else is watching."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import parts
from tests.harness.pty_terminal import PtyTerminal
from tui.terminal import character_set, harden_process, refusal, shared_session_banner, starting_theme


class Stream:
    def __init__(self, encoding: str | None = "utf-8", tty: bool = True) -> None:
        self.encoding = encoding
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


GOOD = Stream()
PIPE = Stream(tty=False)
XTERM = {"TERM": "xterm-256color"}


def test_an_ordinary_terminal_is_welcome() -> None:
    assert refusal(GOOD, GOOD, GOOD, XTERM) is None
    assert refusal(GOOD, Stream("UTF8"), Stream("utf_8"), {"TERM": "linux"}) is None


@pytest.mark.parametrize(
    ("streams", "word"),
    [
        ((PIPE, GOOD, GOOD), "standard input"),
        ((GOOD, PIPE, GOOD), "standard output"),
        ((GOOD, GOOD, PIPE), "standard error"),
        ((None, GOOD, GOOD), "standard input"),
    ],
)
def test_a_pipe_is_refused_by_its_name(streams: tuple[Stream | None, Stream | None, Stream | None], word: str) -> None:
    sentence = refusal(*streams, XTERM)
    assert sentence is not None
    assert word in sentence
    assert "gatekey settings" in sentence


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_cannot_move_its_cursor_is_refused(term: str) -> None:
    sentence = refusal(GOOD, GOOD, GOOD, {"TERM": term})
    assert sentence is not None
    assert f"TERM={term}" in sentence


@pytest.mark.parametrize("encoding", ["utf-16", "cp037", "no such encoding", None])
def test_an_encoding_without_plain_ascii_is_refused(encoding: str | None) -> None:
    for streams in ((GOOD, Stream(encoding), GOOD), (GOOD, GOOD, Stream(encoding))):
        sentence = refusal(*streams, XTERM)
        assert sentence is not None
        assert "UTF-8" in sentence


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "koi8-r"])
def test_an_encoding_without_box_characters_is_welcome(encoding: str) -> None:
    assert refusal(GOOD, Stream(encoding), Stream(encoding), XTERM) is None


@pytest.mark.parametrize(
    ("environ", "encoding", "expected"),
    [
        ({}, "utf-8", "utf-8"),
        ({"LANG": "C.UTF-8"}, "UTF-8", "utf-8"),
        ({"LANG": "de_DE.utf8"}, "utf-8", "utf-8"),
        ({"LC_ALL": "C"}, "utf-8", "ascii"),
        ({"LC_ALL": "POSIX", "LANG": "C.UTF-8"}, "utf-8", "ascii"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", "utf-8"),
        ({"LC_ALL": "de_DE.ISO-8859-1"}, "utf-8", "iso8859-1"),
        ({"LC_ALL": "de_DE.ISO8859-15@euro"}, "utf-8", "iso8859-15"),
        ({"LANG": "ru_RU.KOI8-R"}, "koi8-r", "koi8-r"),
        ({"LANG": "en_US"}, "iso-8859-1", "iso8859-1"),
        ({"LANG": "C.UTF-8", "TERM": "vt100"}, "utf-8", "ascii"),
        ({"LANG": "C.nonsense"}, "utf-8", "utf-8"),
    ],
)
def test_the_characters_of_the_terminal_follow_its_locale(
    environ: dict[str, str], encoding: str, expected: str
) -> None:
    assert character_set(environ, encoding) == expected


@pytest.mark.parametrize(
    ("environ", "chosen", "theme"),
    [
        ({}, None, "gatekey-dark"),
        ({}, "gatekey-light", "gatekey-light"),
        ({"NO_COLOR": "1"}, None, "ansi-dark"),
        ({"NO_COLOR": "1"}, "gatekey-light", "ansi-dark"),
        ({"NO_COLOR": ""}, None, "gatekey-dark"),
    ],
)
def test_no_color_means_the_theme_that_sends_none(environ: dict[str, str], chosen: str | None, theme: str) -> None:
    assert starting_theme(environ, chosen) == theme


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], dict[str, str]]]:
    """A tmux command with a server of its own, and the variables of a pane in its session. It may be slow to answer."""
    monkeypatch.setattr("tui.terminal.TMUX_TIMEOUT_S", 60.0)
    parts.need(parts.TMUX)
    base = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
    subprocess.run([*base, "new-session", "-d", "-s", "one", "cat"], check=True)
    variables = {"TMUX": f"{tmp_path / 'tmux'},1,0", "TMUX_PANE": "%0", "PATH": "/usr/bin:/bin"}
    yield base, variables
    subprocess.run([*base, "kill-server"], check=True)


def test_a_second_viewer_of_the_tmux_session_is_announced(
    session: tuple[list[str], dict[str, str]],
) -> None:
    base, variables = session
    with PtyTerminal([*base, "attach", "-t", "one"]) as first:
        first.wait_for("[one]")
        assert shared_session_banner(variables) is None
        with PtyTerminal([*base, "attach", "-t", "one"]) as second:
            second.wait_for("[one]")
            banner = shared_session_banner(variables)
            assert banner is not None
            assert "other viewers" in banner


def test_a_viewer_of_a_grouped_session_counts(session: tuple[list[str], dict[str, str]]) -> None:
    base, variables = session
    with (
        PtyTerminal([*base, "attach", "-t", "one"]) as first,
        PtyTerminal([*base, "new-session", "-t", "one", "-s", "two"]) as second,
    ):
        first.wait_for("[one]")
        second.wait_for("[two]")
        assert shared_session_banner(variables) is not None


def test_outside_tmux_and_with_a_dead_one_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert shared_session_banner({}) is None
    assert shared_session_banner({"TMUX": f"{tmp_path}/gone,1,0", "TMUX_PANE": "%0", "PATH": "/usr/bin"}) is None
    assert shared_session_banner({"TMUX": "x", "TMUX_PANE": "%0", "PATH": str(tmp_path)}) is None


def test_after_hardening_the_process_leaves_no_memory_behind() -> None:
    assert harden_process.__module__ == "tui.terminal"
    script = (
        "import resource; from tui.terminal import harden_process; harden_process();"
        "import ctypes; print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "(0, 0) 0\n"


def test_the_checks_do_not_wait_for_textual() -> None:
    script = "import sys, tui.terminal, tui.keymap, tui.clipboard; print('textual' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


COMMANDS = (
    ("serve", "run", "serve"),
    ("notify", "run", "notify --once"),
    ("settings", "run_show", "settings --user alice show"),
    ("admin_site", "run_show", "admin site show"),
    ("admin_user", "run_list", "admin user list"),
    ("doctor", "run", "doctor"),
)


@pytest.mark.parametrize(("module", "run", "line"), COMMANDS, ids=lambda value: str(value))
def test_a_command_leaves_no_memory_behind(module: str, run: str, line: str) -> None:
    """Each of them opens the store, and with it the key."""
    script = (
        f"import ctypes, resource, sys; from tui.commands import {module} as command; from screens.entry import main\n"
        "def tell(*_):\n"
        "    print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
        "    return 0\n"
        f"command.{run} = tell; sys.argv = ['gatekey', *'{line}'.split()]; main()"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "(0, 0) 0\n"


@pytest.mark.parametrize(
    ("term", "erases"),
    [("xterm-256color", True), ("linux", True), ("tmux-256color", False), ("no-such-terminal", False)],
)
def test_terminfo_tells_which_terminal_erases_in_the_background_of_the_pen(term: str, erases: bool) -> None:
    script = "import os, sys; from tui.terminal import erases_in_background; print(erases_in_background(os.environ, 1))"
    environment = {**os.environ, "TERM": term}
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert answer.stdout.strip() == str(erases)
