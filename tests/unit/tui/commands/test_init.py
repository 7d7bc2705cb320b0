"""`gatekey init`: what it asks, what it refuses, and that nothing is written before the end."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from store.text import is_sanitized
from tests.harness.command_line import Ran, Shell
from tests.harness.postgres import PostgresServer
from tests.harness.stores import PASSWORD
from tui.commands import streams

SECRETS: Final = ("sk-planted-key", "planted-mail-password", PASSWORD)
ADMINISTRATOR: Final = ("alice", "alice@example.com", PASSWORD, PASSWORD)
ALL: Final = (
    *ADMINISTRATOR,
    *("https://gateway.example.com", "", "yes"),
    *("https://models.example.com/v1", SECRETS[0], "no"),
    *("mail.example.com", "tls", "", "gatekey", SECRETS[1], "gatekey@example.com"),
    *("yes", "", "no"),
    "yes",
)
"""An answer for every question of a first run on a named database."""
WRITTEN: Final = {
    "public_url": "https://gateway.example.com",
    "gateway.trusted_proxies": ["127.0.0.1/32"],
    "passkeys.enabled": True,
    "passkeys.origin": "https://gateway.example.com",
    "passkeys.rp_id": "gateway.example.com",
    "upstream.base_url": "https://models.example.com/v1",
    "upstream.api_key": {"is_set": True, "hint": ""},
    "price.unpriced": "forbid",
    "smtp.host": "mail.example.com",
    "smtp.security": "tls",
    "smtp.port": 465,
    "smtp.username": "gatekey",
    "smtp.password": {"is_set": True, "hint": ""},
    "smtp.sender": "gatekey@example.com",
    "ssh.address": "gateway.example.com:2222",
    "ssh.sign_in_screen": False,
}
LEAST: Final = (*ADMINISTRATOR, "", "", "", "", "")
"""The answers of a person who takes every default."""
AGAIN: Final = ("", "", "", "", "", "", "", "", "", "", "", "", "", "", "")
"""Enter at every question of a second run after `ALL`."""


@pytest.fixture(autouse=True)
def _seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed unseen is read as the rest, because there is no terminal to switch the echo off."""

    def read_seen(question: str) -> str | None:
        streams.prompt(question)
        return streams.read_typed_line()

    monkeypatch.setattr(streams, "read_unseen_line", read_seen)


def init(shell: Shell, answers: Sequence[str], *arguments: str) -> Ran:
    return shell.run("init", *arguments, stdin="".join(f"{answer}\n" for answer in answers), terminal=True)


def site(shell: Shell) -> dict[str, object]:
    found: dict[str, object] = json.loads(shell.run("admin", "site", "show", "--json").out)
    return found


def accounts(shell: Shell) -> list[tuple[str, str, str]]:
    listed = json.loads(shell.run("admin", "user", "list", "--json").out)
    return [(account["name"], account["email"], account["role"]) for account in listed]


def nothing_is_there(shell: Shell) -> bool:
    return not shell.database.exists() and not shell.key_file.exists()


def test_a_first_run_writes_every_answer(shell: Shell) -> None:
    ran = init(shell, ALL)
    assert ran.status == 0, ran.err
    assert ran.out == "", "talk is no data"
    assert {name: value for name, value in site(shell).items() if name in WRITTEN} == WRITTEN
    assert accounts(shell) == [("alice", "alice@example.com", "admin")]
    assert not any(secret in ran.err for secret in SECRETS)
    for command in ("gatekey doctor", "gatekey admin price set", "gatekey serve", "gatekey ssh"):
        assert f"\n  {command}" in ran.err


def test_a_person_who_takes_every_default_has_an_account_and_no_switch(shell: Shell) -> None:
    ran = init(shell, (*LEAST, "yes"))
    assert ran.status == 0, ran.err
    before = init(shell, [""] * 4)
    assert before.status == 0
    assert "All stays as it is." in before.err
    assert accounts(shell) == [("alice", "alice@example.com", "admin")]
    assert "gatekey ssh" not in ran.err.partition("Next:")[2]


@pytest.mark.parametrize("count", range(len(ALL)))
def test_an_input_that_ends_early_leaves_nothing(shell: Shell, count: int) -> None:
    ran = init(shell, ALL[:count])
    assert ran.status == 1
    assert ran.err.endswith("Nothing was changed.\n")
    assert nothing_is_there(shell)


def test_ctrl_c_and_a_no_at_the_end_leave_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = init(shell, (*ALL[:-1], "no"))
    assert (ran.status, nothing_is_there(shell)) == (1, True)
    assert ran.err.endswith("Nothing was changed.\n")

    def interrupted(_: str) -> str | None:
        raise KeyboardInterrupt

    monkeypatch.setattr(streams, "read_unseen_line", interrupted)
    ran = init(shell, ALL)
    assert (ran.status, nothing_is_there(shell)) == (130, True)
    assert ran.err.endswith("Nothing was changed.\n")


def test_a_second_run_shows_what_is_stored_and_enter_keeps_it(shell: Shell) -> None:
    init(shell, ALL)
    before = shell.fingerprint()
    ran = init(shell, AGAIN)
    assert ran.status == 0, ran.err
    assert "All stays as it is." in ran.err
    assert "Public address [https://gateway.example.com]:" in ran.err
    assert "Its API key (unseen; Enter keeps the stored one):" in ran.err
    assert shell.fingerprint() == before
    assert not any(secret in ran.err for secret in SECRETS)


def test_nothing_is_overwritten_without_being_asked_for(shell: Shell) -> None:
    init(shell, ALL)
    before = shell.fingerprint()
    answers = ["https://other.example.com", *AGAIN[1:]]
    ran = init(shell, [*answers, "no"])
    assert "public_url = https://other.example.com (was: https://gateway.example.com)" in ran.err
    assert "passkeys.rp_id = other.example.com (was: gateway.example.com)" in ran.err
    assert (ran.status, shell.fingerprint()) == (1, before)
    assert init(shell, [*answers, "yes"]).status == 0
    changed = {name for name, value in site(shell).items() if name in WRITTEN and value != WRITTEN[name]}
    assert changed == {"public_url", "passkeys.origin", "passkeys.rp_id"}


def test_a_hyphen_takes_a_value_away(shell: Shell) -> None:
    init(shell, ALL)
    # The address and the mail server go: their further questions are not asked.
    ran = init(shell, ["-", "", "-", "", "-", "no", "yes"])
    assert ran.status == 0, ran.err
    assert "upstream.api_key = nothing" in ran.err
    stored = site(shell)
    assert (stored["public_url"], stored["smtp.host"], stored["ssh.address"]) == ("", "", "")
    assert stored["upstream.api_key"] == {"is_set": False, "hint": ""}


@pytest.mark.parametrize(
    ("place", "answer", "sentence"),
    [
        (0, "al ice", "A name has 1 to 64 letters"),
        (1, "alice", "Enter one address"),
        (2, "short", "at least 8 characters"),
        (4, "gateway.example.com", "public_url takes an origin"),
        (5, "10.0.0.1/8", "gateway.trusted_proxies takes networks"),
        (6, "perhaps", "Answer yes or no."),
        (7, "models.example.com", "upstream.base_url takes a web address"),
        (8, "two words", "upstream.api_key takes text without spaces"),
        (11, "none", "smtp.security takes starttls or tls"),
        (12, "70000", "smtp.port takes a port"),
        (15, "gatekey", "smtp.sender takes an e-mail address"),
        (15, "", "Mail needs a sender"),
        (17, "gateway", "ssh.address takes the host and the port"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told_and_asked_again(
    shell: Shell, place: int, answer: str, sentence: str
) -> None:
    ran = init(shell, (*ALL[:place], answer, *ALL[place:]))
    assert ran.status == 0, ran.err
    assert sentence in ran.err
    assert {name: value for name, value in site(shell).items() if name in WRITTEN} == WRITTEN


def test_a_password_that_differs_the_second_time_is_asked_again(shell: Shell) -> None:
    ran = init(shell, (*ALL[:3], "something else", *ALL[2:]))
    assert ran.status == 0, ran.err
    assert "The password was not the same twice." in ran.err


def test_the_sites_own_length_of_passwords_holds_for_the_administrator(shell: Shell) -> None:
    shell.add("bob")
    shell.run("admin", "site", "set", "password.minimum_without_second_factor", "30")
    longer = f"{PASSWORD} and more"
    ran = init(shell, (*ADMINISTRATOR[:3], longer, longer, *LEAST[4:], "yes"))
    assert ran.status == 0, ran.err
    assert "A password has at least 30 characters" in ran.err
    assert ("alice", "alice@example.com", "admin") in accounts(shell)


def test_an_account_that_is_there_may_become_the_administrator(shell: Shell) -> None:
    """The console's first account is a user, until an administrator is named."""
    shell.add("alice")
    ran = init(shell, ("ALICE", "no", "Alice", "yes", *LEAST[4:], "yes"))
    assert ran.status == 0, ran.err
    assert "There is an account alice. Make it an administrator?" in ran.err
    assert "\n  alice becomes an administrator\n" in ran.err
    assert accounts(shell) == [("alice", "alice@example.com", "admin")]
    signed_in = shell.run("account", "--user", "alice", "show", stdin=PASSWORD)
    assert signed_in.status == 0, "the password stays"


def test_a_script_makes_an_account_that_is_there_the_administrator(shell: Shell) -> None:
    shell.add("alice")
    ran = shell.run("init", "--yes", "--admin", "Alice", "--email", "alice@example.com")
    assert ran.status == 0, ran.err
    assert "There is an account alice already; it becomes an administrator." in ran.err
    assert accounts(shell) == [("alice", "alice@example.com", "admin")]


def test_a_script_does_not_promote_an_account_with_another_address(shell: Shell) -> None:
    """It may be a stranger's who took the name first."""
    shell.add("alice")
    before = shell.fingerprint()
    ran = shell.run("init", "--yes", "--admin", "Alice", "--email", "other@example.com")
    assert ran.status == 1
    assert "gatekey admin user role alice admin" in ran.err
    assert "alice@example.com" not in ran.err
    assert shell.fingerprint() == before
    assert accounts(shell) == [("alice", "alice@example.com", "user")]


def test_no_answer_reaches_the_terminal_as_it_is(shell: Shell) -> None:
    attack = "\x1b]52;c;aGk=\x07\x9b31m\u202ename"
    ran = init(shell, (attack, "alice", attack, *ALL[1:4], attack, *ALL[4:]))
    assert ran.status == 0, ran.err
    assert all(is_sanitized(line) for line in ran.err.splitlines())


def test_without_a_name_for_the_data_it_is_asked(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEKEY_DATABASE")
    elsewhere = tmp_path / "of its own" / "gatekey.sqlite3"
    refused = "postgresql://gatekey:hunter2@db.example.com/gatekey"
    ran = init(shell, (refused, str(elsewhere), *LEAST, "yes"))
    assert ran.status == 0, ran.err
    assert "Leave the password out of the address" in ran.err
    assert elsewhere.exists()
    assert f"\n  export GATEKEY_DATABASE='{elsewhere}'\n" in ran.err
    monkeypatch.setenv("GATEKEY_FILES", "none")
    ran = init(shell, ())
    assert "File or address" not in ran.err, "a service user's files are nobody's choice"


def test_postgresql_is_set_up_and_looked_through_alike(
    shell: Shell, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres_server.database(migrated=False) as url:
        monkeypatch.setenv("GATEKEY_DATABASE", url)
        ran = init(shell, ALL)
        assert ran.status == 0, ran.err
        assert "a new database: postgresql://" in ran.err
        assert {name: value for name, value in site(shell).items() if name in WRITTEN} == WRITTEN
        ran = init(shell, AGAIN)
        assert "All stays as it is." in ran.err


# -- without questions ------------------------------------------------------------------------------------------


def test_a_script_says_it_all(shell: Shell) -> None:
    line = ["--yes", "--admin", "alice", "--email", "alice@example.com", "--set", "public_url=https://g.example.com"]
    ran = shell.run("init", *line, "--set", "usage.retention_days=90", stdin=PASSWORD)
    assert ran.status == 0, ran.err
    stored = site(shell)
    assert (stored["public_url"], stored["usage.retention_days"]) == ("https://g.example.com", 90)
    assert accounts(shell) == [("alice", "alice@example.com", "admin")]
    before = shell.fingerprint()
    ran = shell.run("init", *line, "--set", "usage.retention_days=90")
    assert ran.status == 0, ran.err
    assert "There is an administrator already" in ran.err
    assert shell.fingerprint() == before, "a script may run again"


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ([], 2, "nobody can be asked here"),
        (["--admin", "alice"], 2, "belong to --yes"),
        (["--yes"], 2, "name the first administrator"),
        (["--yes", "--admin", "alice"], 2, "belong together"),
        (["--yes", "--admin", "alice", "--email", "a@b.example"], 1, "is empty"),
        (["--yes", "--admin", "a b", "--email", "a@b.example"], 1, "A name has 1 to 64 letters"),
        (["--yes", "--admin", "alice", "--email", "a@b.example", "--set", "smtp.port"], 2, "KEY=VALUE"),
        (["--yes", "--admin", "alice", "--email", "a@b.example", "--set", "smtp.port=x"], 1, "takes a port"),
        (["--yes", "--admin", "alice", "--email", "a@b.example", "--set", "smtp.prt=1"], 1, "smtp.port"),
        (["--yes", "--admin", "alice", "--email", "a@b.example", "--set", "smtp.password=planted"], 1, "--value-stdin"),
    ],
)
def test_what_a_script_leaves_open_is_refused(shell: Shell, arguments: list[str], status: int, sentence: str) -> None:
    ran = shell.run("init", *arguments)
    assert ran.status == status
    assert sentence in ran.err
    assert "planted" not in ran.err
    assert nothing_is_there(shell)
