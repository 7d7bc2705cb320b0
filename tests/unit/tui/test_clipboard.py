"""Copying takes the best route there is and claims no more than it knows."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import parts
from tui.clipboard import Copied, Route, copy

SECRET = "gk_b5G1yqW0m3kT8sVxZ2nC7pLr ✓"


class Terminal:
    """Remembers what was sent to the terminal's clipboard."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def copy_to_clipboard(self, text: str) -> None:
        self.sent.append(text)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def program(folder: Path, name: str, exit_code: int = 0) -> Path:
    """A stand-in that writes its input and arguments to files beside it."""
    log = folder / f"{name}.log"
    script = folder / name
    script.write_text(f'#!/bin/sh\ncat > {log}\necho "$@" > {log.with_suffix(".args")}\nexit {exit_code}\n')
    script.chmod(0o755)
    return log


def environ(folder: Path, **variables: str) -> dict[str, str]:
    return {"PATH": f"{folder}:/usr/bin:/bin", **variables}


@pytest.fixture
def on_path(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs


async def test_without_any_program_it_goes_to_the_terminal_and_says_sent() -> None:
    terminal = Terminal()
    copied = await copy(terminal, SECRET, {})
    assert terminal.sent == [SECRET]
    assert copied == Copied(Route.TERMINAL)
    assert copied.sentence == "Sent to the terminal's clipboard"


async def test_in_tmux_it_goes_to_the_buffer_through_standard_input(on_path: Path) -> None:
    log = program(on_path, "tmux")
    terminal = Terminal()
    copied = await copy(terminal, SECRET, environ(on_path, TMUX="/tmp/tmux-0/default,1,0"))
    assert copied.sentence == "Copied to the tmux buffer"
    assert log.read_text() == SECRET
    assert log.with_suffix(".args").read_text().split() == ["load-buffer", "-w", "-"]
    assert terminal.sent == []


async def test_when_tmux_refuses_it_goes_to_the_terminal(on_path: Path) -> None:
    program(on_path, "tmux", exit_code=1)
    terminal = Terminal()
    copied = await copy(terminal, SECRET, environ(on_path, TMUX="/tmp/tmux-0/default,1,0"))
    assert copied.route is Route.TERMINAL
    assert terminal.sent == [SECRET]


async def test_when_tmux_is_not_there_it_goes_to_the_terminal(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs))
    terminal = Terminal()
    copied = await copy(terminal, SECRET, {"TMUX": "x"})
    assert copied.route is Route.TERMINAL


async def test_a_program_that_hangs_is_given_up(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = on_path / "tmux"
    script.write_text("#!/bin/sh\nexec sleep 600\n")
    script.chmod(0o755)
    monkeypatch.setattr("tui.clipboard.TOOL_TIMEOUT_S", 0.05)
    terminal = Terminal()
    copied = await copy(terminal, SECRET, environ(on_path, TMUX="x"))
    assert copied.route is Route.TERMINAL


async def test_a_display_of_this_machine_comes_first_but_not_over_ssh(on_path: Path) -> None:
    log = program(on_path, "wl-copy")
    terminal = Terminal()
    here = environ(on_path, WAYLAND_DISPLAY="wayland-0")
    assert (await copy(terminal, SECRET, here)).sentence == "Copied to the clipboard"
    assert log.read_text() == SECRET
    there = here | {"SSH_CONNECTION": "10.0.0.1 22 10.0.0.2 22"}
    assert (await copy(terminal, SECRET, there)).route is Route.TERMINAL


def test_what_was_copied_is_in_no_repr() -> None:
    assert SECRET not in repr(Copied(Route.TMUX))


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[str]:
    """The TMUX value of a real server of its own."""
    parts.need(parts.TMUX)
    socket = tmp_path / "tmux"
    base = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    subprocess.run([*base, "new-session", "-d", "-s", "one", "cat"], check=True)
    yield f"{socket},1,0"
    subprocess.run([*base, "kill-server"], check=True)


def buffer_of(tmux: str) -> str:
    command = ["tmux", "-S", tmux.partition(",")[0], "show-buffer"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def test_a_real_tmux_has_the_text_afterwards(tmux: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", tmux)
    assert (await copy(Terminal(), SECRET)).route is Route.TMUX
    assert buffer_of(tmux) == SECRET
