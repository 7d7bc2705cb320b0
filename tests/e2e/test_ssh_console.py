"""`gatekey ssh` through OpenSSH's client: the ways in, and what a person finds there."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.installed import PATIENCE, Installed, step_now
from tests.e2e.ssh_server import NAME, OPEN, SshServer, enrol, make_key
from tests.fakes.authenticator_app import code
from tests.harness.stores import PASSWORD
from tests.harness.waiting import wait_until

SIGN_IN: Final = "Sign in enter"
"""A button of the sign-in screen."""
STRANGER: Final = "nobod"
"""A name that nobody has, as long as that of the account."""
DENIED: Final = 255
"""The exit status of ssh for its own failures (ssh(1))."""


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key that no account has."""
    return make_key(tmp_path, "stranger")


def set_switch(server: SshServer, name: str, value: str) -> None:
    finished = server.home.run("admin", "site", "set", name, value)
    assert finished.returncode == 0, finished.stderr


def wait_for_question(client: Installed, number: int) -> None:
    """Wait until the password is asked for the `number`th time."""
    client.until(lambda _: client.words().count("Password (") == number)


def wait_for_code_question(client: Installed, number: int) -> None:
    """Wait until the code is asked for the `number`th time.

    ssh throws away what was typed before its question: a sentence above the question is not enough to wait for.
    """
    client.until(lambda _: client.words().count("or a backup code:") == number)


def test_a_password_opens_the_account_and_leaving_leaves_nothing(server: SshServer) -> None:
    with server.signed_in() as client:
        client.until(OPEN)
        client.until("alice")
        assert server.sessions() == 1
        client.quit()
    server.wait_until_empty()
    (line,) = [line for line in server.log.read_text().splitlines() if "SHA256:" in line]
    known = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(server.home.folder / "known_hosts")], capture_output=True, text=True, check=True
    )
    assert known.stdout.split()[1] in line, "the printed fingerprint is the one that clients see"


def test_a_code_follows_the_password(server: SshServer) -> None:
    secret = enrol(server)
    with server.client() as client:
        client.until("Password")
        client.type(f"{PASSWORD}\r")
        wait_for_code_question(client, 1)
        assert "alice has two-factor authentication." in client.words()
        client.type("000000\r")
        wait_for_code_question(client, 2)
        assert "Try again. The code is wrong." in client.words()
        client.type(f"{code(secret, step_now())}\r")
        client.until(OPEN)
        client.quit()


def test_enter_alone_opens_the_sign_in_screen_with_the_name(server: SshServer) -> None:
    with server.client() as client:
        client.until("Enter alone opens the sign-in screen")
        client.press("enter")
        client.until(SIGN_IN)
        client.until("Username alice")
        assert str(server.home.data) not in client.words(), "a stranger does not learn where the data is"
        assert server.sessions() == 0
        client.enter("Password", PASSWORD, masked=True)
        client.until(OPEN)
        client.quit()


def test_an_unknown_key_opens_the_sign_in_screen_without_a_question(server: SshServer, key: Path) -> None:
    for name in (NAME, STRANGER):
        with server.client(name, "-i", str(key)) as client:
            client.until(SIGN_IN)
            assert "Enter alone" not in client.raw.decode(errors="replace")
            client.quit()


def test_without_the_switch_a_stranger_sees_no_screen(server: SshServer, key: Path) -> None:
    set_switch(server, "ssh.sign_in_screen", "false")
    with server.client(NAME, "-i", str(key)) as client:
        client.until("Password:")
        client.press("enter")
        client.until(lambda _: client.words().count("Password:") == 2)
        client.type(f"{PASSWORD}\r")
        client.until(OPEN)
        client.press("ctrl+p")
        client.until("Type what you want to do")
        client.type("sign out\r")
        assert client.exit_code(PATIENCE) == 0
        assert client.left_on == ()
        assert b"You signed out." in client.after()


def test_wrong_passwords_are_denied_and_then_have_to_wait(server: SshServer) -> None:
    for _ in range(2):
        with server.client() as client:
            for turn in range(1, 4):
                wait_for_question(client, turn)
                client.type("wrong horse\r")
            assert client.exit_code(PATIENCE) == DENIED
            said = client.words()
    assert "Too many attempts" in said
    assert server.consoles() == []


def test_nobody_learns_whether_a_name_exists(server: SshServer) -> None:
    said = []
    for name in (NAME, STRANGER):
        with server.client(name, "-o", "NumberOfPasswordPrompts=1") as client:
            client.until("Password")
            client.type("wrong horse\r")
            assert client.exit_code(PATIENCE) == DENIED
            said.append(client.words().replace(name, "NAME"))
    assert said[0] == said[1]


def test_the_console_follows_the_window(server: SshServer) -> None:
    with server.signed_in() as client:
        client.resize(120, 40)
        client.wait_for(lambda terminal: len(terminal.screen_text().splitlines()[1].rstrip()) > 80)
        client.wait_for(lambda terminal: "Quit" in terminal.screen_text().splitlines()[-1])
        client.resize(60, 20)
        client.wait_for(lambda terminal: "Quit" in terminal.screen_text().splitlines()[-1])
        client.quit()


@pytest.mark.parametrize("colorterm", ["truecolor", ""])
def test_the_client_says_how_many_colours_its_terminal_has(server: SshServer, colorterm: str) -> None:
    with server.signed_in(NAME, "-o", "SendEnv=COLORTERM", colorterm=colorterm) as client:
        assert (b"\x1b[38;2;" in client.raw or b";38;2;" in client.raw) == bool(colorterm)
        client.quit()


@pytest.mark.parametrize("term", ["dumb", "\x1b]0;owned\x07", "x" * 65])
def test_a_terminal_that_cannot_draw_gets_a_sentence(server: SshServer, term: str) -> None:
    with server.client(NAME, term=term) as client:
        client.until("Password")
        client.type(f"{PASSWORD}\r")
        assert client.exit_code(PATIENCE) == 2
        assert "The console cannot draw on this terminal" in client.words()
        assert b"owned" not in client.raw


@pytest.mark.parametrize(
    ("options", "command", "sentence", "status"),
    [
        pytest.param((), ("id",), "invalid choice: 'id'", 2, id="command"),
        pytest.param(("-t",), ("id",), "invalid choice: 'id'", 2, id="command with a terminal"),
        pytest.param(("-T",), (), "needs a terminal", 2, id="no terminal"),
        pytest.param(("-s",), ("netconf",), "", 255, id="subsystem"),
    ],
)
def test_nothing_but_the_console_is_there(
    server: SshServer, options: tuple[str, ...], command: tuple[str, ...], sentence: str, status: int
) -> None:
    with Installed([*server.command(NAME, *options), *command], env={"HOME": str(server.home.folder)}) as client:
        client.wait_for("Password")
        client.type(f"{PASSWORD}\r")
        assert client.exit_code(PATIENCE) == status
        assert sentence in " ".join(client.screen_text().split())


def test_no_port_and_no_agent_is_forwarded(server: SshServer) -> None:
    with server.client(
        NAME,
        "-A",
        "-X",
        "-R",
        "127.0.0.1:0:127.0.0.1:1",
    ) as client:
        client.until("Password")
        client.type(f"{PASSWORD}\r")
        client.until(OPEN)
        assert "remote port forwarding failed" in client.raw.decode(errors="replace")
        client.quit()
    wait_until(lambda: not server.consoles())
