"""`gatekey ssh` with public keys: whose account they open, and what follows."""

from pathlib import Path
from typing import Final

import pytest

from store.audit_tags import Tag
from tests.e2e.installed import step_now
from tests.e2e.ssh_server import NAME, OPEN, SshServer, enrol, make_key, register
from tests.fakes.authenticator_app import code
from tests.harness.stores import PASSWORD

SIGN_IN: Final = "Sign in enter"


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(("-t", "ed25519"), id="ed25519"),
        pytest.param(("-t", "ecdsa", "-b", "384"), id="ecdsa"),
        pytest.param(("-t", "rsa", "-b", "3072"), id="rsa"),
    ],
)
def test_a_key_opens_its_account(server: SshServer, tmp_path: Path, kind: tuple[str, ...]) -> None:
    key = make_key(tmp_path, "person", *kind)
    fingerprint = register(server, key)
    stranger = make_key(tmp_path, "stranger")
    for name, keys in ((NAME, [key]), ("root", [key]), (NAME, [stranger, key])):
        options = [word for each in keys for word in ("-i", str(each))]
        with server.client(name, *options) as client:
            client.until(OPEN)
            client.until(f"{NAME} · ")
            assert "Password (" not in client.raw.decode(errors="replace")
            client.quit()
    server.wait_until_empty()
    with server.open_store() as store, store.database.read() as tx:
        events = store.audit.page(tx, store.accounts.find(NAME).id, limit=100)
    used = [str(event) for event in events if event.tag == Tag.SSH_KEY_USED]
    assert len(used) == 3
    assert all(fingerprint in event for event in used)


def test_the_sign_in_before_is_told(server: SshServer, key: Path) -> None:
    for number in (1, 2):
        with server.client(NAME, "-i", str(key)) as client:
            client.until(OPEN)
            client.until(f"{NAME} · ")
            if number == 2:
                client.until(lambda terminal: "Last sign-in: just now from" in terminal.screen_text())
                client.press("3")
                client.until_gone("Last sign-in")
            client.quit()


def test_a_key_does_not_open_the_account_of_another(server: SshServer, key: Path) -> None:
    server.home.add_account("bob")
    with server.client("bob", "-i", str(key)) as client:
        client.until(SIGN_IN)
        assert server.sessions() == 0
        client.enter("Password", PASSWORD, masked=True)
        client.until(OPEN)
        client.until("bob · ")  # read after the page
        client.quit()


def test_the_second_factor_is_asked_for_after_a_key(server: SshServer, key: Path) -> None:
    secret = enrol(server)
    with server.client(NAME, "-i", str(key)) as client:
        client.until("alice has two-factor authentication.")
        assert server.sessions() == 0
        client.enter("Code", code(secret, step_now()))
        client.until(OPEN)
        client.quit()


def test_the_key_of_a_suspended_account_is_refused_with_the_reason(server: SshServer, tmp_path: Path) -> None:
    key = make_key(tmp_path, "person")
    server.home.add_account("bob")
    register(server, key, "bob")
    assert server.home.run("admin", "user", "suspend", "bob", "--yes").returncode == 0
    with server.client("bob", "-i", str(key)) as client:
        client.until("suspended")


def test_a_key_that_is_removed_ends_its_session(server: SshServer, key: Path) -> None:
    with server.client(NAME, "-i", str(key)) as client:
        client.until(OPEN)
        removed = server.home.run("admin", "ssh-key", "remove", NAME, "1", "--yes")
        assert removed.returncode == 0, removed.stderr
        client.press("s")
        client.until(SIGN_IN)
        client.quit()
