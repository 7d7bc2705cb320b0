"""The terminals that people have at the other end of `gatekey ssh`: what each shows, read from its screen."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.installed import PATIENCE, Installed
from tests.e2e.ssh_server import OPEN, SshServer, close_dialog, look_at_dialog, open_dialog, ssh_server
from tests.harness.stores import PASSWORD

TERMINALS: Final = ("linux", "screen", "tmux-256color", "xterm", "xterm-kitty", "xterm-256color")
ASCII: Final = {"a locale of C": ("C", "xterm-256color"), "a VT100": ("C.UTF-8", "vt100")}
FRAMES: Final = "─│╭╮╰╯"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("server")) as running:
        yield running


def connect(server: SshServer, *, lang: str = "C.UTF-8", term: str, columns: int = 80, lines: int = 24) -> Installed:
    command = server.command("alice", "-o", "SendEnv=LANG COLORTERM")
    env = {"HOME": str(server.home.folder), "LANG": lang}
    client = Installed(command, env=env, term=term, colorterm="", columns=columns, lines=lines)
    client.until("Password")
    client.type(f"{PASSWORD}\r")
    return client


@pytest.mark.parametrize("term", TERMINALS)
def test_a_dialog_opens_and_the_terminal_is_given_back(server: SshServer, term: str) -> None:
    with connect(server, term=term) as client:
        client.until(OPEN)
        open_dialog(client)
        assert any(line in client.screen_text() for line in FRAMES)
        close_dialog(client)
        client.quit()
    server.wait_until_empty()


@pytest.mark.parametrize("name", ASCII)
def test_a_terminal_without_utf_8_gets_ascii(server: SshServer, name: str) -> None:
    lang, term = ASCII[name]
    with connect(server, lang=lang, term=term) as client:
        client.until(OPEN)
        look_at_dialog(client)
        client.quit()
        drawn = bytes(client.raw)
    assert drawn.isascii()
    assert b"\\u" not in drawn


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_draw_gets_a_sentence(server: SshServer, term: str) -> None:
    with connect(server, term=term) as client:
        assert client.exit_code(PATIENCE) == 2
        assert "The console cannot draw on this terminal" in client.words()
    server.wait_until_empty()


def test_a_window_of_ten_lines_that_grows_in_a_dialog(server: SshServer) -> None:
    with connect(server, term="xterm-256color", columns=40, lines=10) as client:
        client.until("Quit")
        open_dialog(client)
        for columns, lines in ((120, 40), (60, 20), (80, 24)):
            client.resize(columns, lines)
            client.wait_for(lambda terminal: "Original password" in terminal.screen_text())
            client.until(lambda terminal: "Change password" in terminal.screen_text())
        client.type("typed in between")
        client.until("••••")
        close_dialog(client)
        client.quit()
    server.wait_until_empty()
