"""`gatekey admin user suspend | resume | delete | revoke-keys | reset-2fa | set-email`: asked, done, and recorded."""

import getpass
import json

import pyotp
import pytest
from sqlalchemy import select

from store.errors import AccountSuspended
from store.models import TwoFactor
from store.store import Store
from store.values.sign_in import SignedIn
from tests.harness.command_line import Shell
from tests.harness.stores import PASSWORD
from tui.store_location import Options, open_account_store

ACTS = {
    "suspend": ("suspend", "alice"),
    "resume": ("resume", "alice"),
    "delete": ("delete", "alice"),
    "revoke-keys": ("revoke-keys", "alice"),
    "reset-2fa": ("reset-2fa", "alice"),
    "set-email": ("set-email", "alice", "new@example.com"),
}
NEW_PASSWORD = "another quite unlikely sentence"


def opened() -> Store:
    return open_account_store(Options(), create=False)


def session(store: Store, password: str = PASSWORD) -> str:
    answer = store.sign_in.with_password("alice", password, source="test")
    assert isinstance(answer, SignedIn)
    return answer.token


def events(store: Store) -> list[str]:
    with store.database.read() as tx:
        page = store.audit.page(tx, store.accounts.find("alice").id)
    return [f"{event.tag} {event.actor}" for event in page]


def prepare(shell: Shell, act: str) -> None:
    """An account that the act has something to do with."""
    shell.add("alice")
    with opened() as store:
        token = session(store)
        store.api_keys.create(token, "laptop")
        store.access_token.generate(token)
        if act == "reset-2fa":
            enrolment = store.two_factor.begin(token)
            store.two_factor.confirm_saved(token, enrolment.codes[0])
            store.two_factor.complete(token, pyotp.TOTP(enrolment.secret).at(store.context.now()))
        if act == "resume":
            store.suspension.suspend("alice", actor="test")


@pytest.mark.parametrize("act", ACTS)
def test_each_asks_and_does_nothing_unless_it_is_meant(shell: Shell, act: str) -> None:
    prepare(shell, act)
    before = shell.fingerprint()
    for typed in ("no\n", "\n", "", "y\n", "YES\n"):
        ran = shell.run("admin", "user", *ACTS[act], stdin=typed, terminal=True)
        assert ran.status == 1
        assert "alice" in ran.err
        assert "Nothing was changed." in ran.err
    ran = shell.run("admin", "user", *ACTS[act], stdin="yes\n")
    assert ran.status == 2
    assert "say --yes if it is meant" in ran.err
    assert shell.fingerprint() == before


@pytest.mark.parametrize("how", ["asked", "--yes"])
@pytest.mark.parametrize("act", ACTS)
def test_each_is_done_once_it_is_meant(shell: Shell, act: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "carol")
    prepare(shell, act)
    if how == "asked":
        typed = "alice\n" if act == "delete" else "yes\n"
        ran = shell.run("admin", "user", *ACTS[act], stdin=typed, terminal=True)
    else:
        ran = shell.run("admin", "user", *ACTS[act], "--yes")
    assert ran.status == 0, ran.err
    assert "alice" in ran.err.splitlines()[-1]
    with opened() as store:
        if act == "delete":
            assert store.accounts.all() == []
            with store.database.read() as tx:
                event = store.audit.site_page(tx)[0]
            assert (event.tag, event.actor.split()[1]) == ("account:deleted", "SUDO_USER:carol")
            return
        newest = events(store)[0]
        assert newest.endswith(" SUDO_USER:carol")
        info = store.accounts.find("alice")
        if act == "suspend":
            assert info.suspended_at is not None
            assert newest.startswith("account:suspended unix:")
        elif act == "resume":
            assert info.suspended_at is None
        elif act == "revoke-keys":
            assert "1 of its API keys and its System Access Token" in ran.err
        elif act == "reset-2fa":
            with store.database.read() as tx:
                assert tx.execute(select(TwoFactor)).all() == []
        else:
            assert info.email == "new@example.com"


@pytest.mark.parametrize("act", ACTS)
def test_a_name_nobody_has_is_said_before_anything_is_asked(shell: Shell, act: str) -> None:
    shell.add("bob")
    ran = shell.run("admin", "user", *ACTS[act], terminal=True, stdin="yes\n")
    assert ran.status == 1
    assert "There is no account of that name." in ran.err
    assert "Type" not in ran.err


def test_the_list_shows_who_is_suspended(shell: Shell) -> None:
    shell.add("alice")
    shell.add("bob")
    assert shell.run("admin", "user", "suspend", "alice", "--yes").status == 0
    table = [line.split() for line in shell.run("admin", "user", "list").out.splitlines()]
    assert [row[-1] for row in table] == ["STATE", "suspended", "active"]
    listed = json.loads(shell.run("admin", "user", "list", "--json").out)
    assert [row["suspended_at"] is not None for row in listed] == [True, False]
    with opened() as store, pytest.raises(AccountSuspended):
        session(store)


def test_the_last_administrator_stays(shell: Shell) -> None:
    shell.add("alice", "--role", "admin")
    for act in ("suspend", "delete"):
        ran = shell.run("admin", "user", act, "alice", "--yes")
        assert ran.status == 1
        assert "The last administrator stays. Make another account an administrator first." in ran.err


@pytest.mark.parametrize(
    ("more", "terminal", "typed", "revoked"),
    [
        (("--revoke-keys", "--password-stdin"), False, NEW_PASSWORD, True),
        (("--password-stdin",), False, NEW_PASSWORD, False),
        ((), True, "yes\n", True),
        ((), True, "\n", False),
    ],
    ids=["flag", "script", "yes", "no"],
)
def test_a_reset_password_offers_to_revoke_the_keys(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], terminal: bool, typed: str, revoked: bool
) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda *_args, **_more: NEW_PASSWORD)
    prepare(shell, "reset-password")
    ran = shell.run("admin", "user", "reset-password", "alice", *more, stdin=typed, terminal=terminal)
    assert ran.status == 0, ran.err
    assert NEW_PASSWORD not in ran.err
    assert ("Type yes to revoke" in ran.err) is (terminal and not more)
    assert ("gatekey admin user revoke-keys alice" in ran.err) is not revoked
    with opened() as store:
        token = session(store, NEW_PASSWORD)
        assert all(key.revoked_at is not None for key in store.api_keys.list(token)) is revoked
        assert (store.access_token.status(token) is None) is revoked


def test_a_second_factor_that_is_reset_leaves_a_word_about_the_password(shell: Shell) -> None:
    prepare(shell, "reset-2fa")
    assert shell.run("admin", "site", "set", "password.minimum_without_second_factor", "15").status == 0
    ran = shell.run("admin", "user", "reset-2fa", "alice", "--yes")
    assert "fewer than 15 characters" in ran.err


def test_doctor_names_what_nist_asks_for(shell: Shell) -> None:
    shell.add("alice")

    def passwords() -> dict[str, str]:
        found = json.loads(shell.run("doctor", "--json").out)
        return next(finding for finding in found if finding["subject"] == "passwords")

    assert passwords()["level"] == "warn"
    assert "NIST SP 800-63B-4 asks for 15" in passwords()["sentence"]
    assert passwords()["fix"] == "Run gatekey admin site set password.minimum_without_second_factor 15."
    assert shell.run("admin", "site", "set", "password.minimum_without_second_factor", "15").status == 0
    assert passwords()["level"] == "ok"


def test_a_new_account_is_asked_for_the_site_s_minimum(shell: Shell) -> None:
    shell.add("alice")
    assert shell.run("admin", "site", "set", "password.minimum_without_second_factor", "40").status == 0
    add = ("admin", "user", "add", "bob", "--email", "bob@example.com", "--password-stdin")
    ran = shell.run(*add, stdin=PASSWORD)
    assert ran.status == 1
    assert "A password has at least 40 characters." in ran.err
