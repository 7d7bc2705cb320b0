"""A console over SSH that is killed leaves no session in the list, also one that it opened itself."""

import os
import signal
from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.installed import PATIENCE, Installed
from tests.e2e.ssh_server import OPEN, SshServer, look_at_dialog
from tests.e2e.steps import sign_out
from tests.harness.stores import PASSWORD

NEW_PASSWORD: Final = "another horse battery staple"


@pytest.fixture
def client(server: SshServer) -> Iterator[Installed]:
    """A client on the sign-in screen."""
    with server.client() as client:
        client.until("Password")
        client.press("enter")
        client.until("Sign in enter")
        yield client


def sign_in(client: Installed) -> None:
    client.enter("Password", PASSWORD, masked=True)
    client.until(OPEN)


def kill_console(server: SshServer, client: Installed) -> None:
    (console,) = server.consoles()
    assert server.sessions() == 1
    os.kill(console, signal.SIGKILL)
    assert client.exit_code(PATIENCE) == 255
    server.wait_until_empty()


def test_a_session_of_the_sign_in_screen(server: SshServer, client: Installed) -> None:
    sign_in(client)
    kill_console(server, client)


def test_a_second_session_of_the_same_console(server: SshServer, client: Installed) -> None:
    sign_in(client)
    sign_out(client)
    client.until("Sign in enter")
    assert server.sessions() == 0
    client.enter("Username", "alice")
    sign_in(client)
    kill_console(server, client)


def test_a_session_that_outlived_a_new_password(server: SshServer, client: Installed) -> None:
    sign_in(client)
    client.press("p")
    client.fill("Original password", PASSWORD, masked=True)
    client.press("enter")
    client.fill("New password", NEW_PASSWORD, masked=True)
    client.press("enter")
    client.fill("Confirm new password", NEW_PASSWORD, masked=True)
    client.press("enter")
    client.until("Password changed")
    kill_console(server, client)


def test_the_session_of_another_console_stays(server: SshServer, client: Installed) -> None:
    with server.signed_in() as other:
        sign_in(client)
        assert server.sessions() == 2
        os.kill(server.consoles()[0], signal.SIGKILL)
        assert client.exit_code(PATIENCE) == 255
        look_at_dialog(other)
        assert server.sessions() == 1
        other.quit()
