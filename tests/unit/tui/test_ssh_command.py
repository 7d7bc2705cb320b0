"""The command line over SSH: which commands it has, and what it refuses."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.store import Store
from store.values.sign_in import SignedIn
from tests.harness.command_line import Shell
from tests.harness.drawers import fetch
from tests.harness.people import contents
from tests.harness.stores import PASSWORD
from tui import command, ssh_command
from tui.store_location import Options, open_account_store

FOR_THE_SERVER = {
    "completion",
    "import",
    "init",
    "serve",
    "ssh",
    "admin",
    "doctor",
    "notify",
    "server",
    "backup",
    "restore",
}
"""Commands for whoever runs the server."""
REFUSED = (
    "--user",
    "--as",
    "--database",
    "--key-file",
    "--passkey",
    "--provider",
    "--demo",
    "--server",
    "--insecure-http",
)
ARGUMENTS = {
    "settings set": "privacy.record_client_ip true",
    "settings confirm-email": "123456",
    "account sessions end": "1",
    "account passkey add": "x",
    "account passkey rename": "1 x",
    "account passkey remove": "1",
    "account binding add": "github",
    "account binding remove": "github",
    "keys create": "x",
    "keys edit": "1",
    "keys rotate": "1 --overlap 5",
    "keys disable": "1",
    "keys enable": "1",
    "keys revoke": "1 --yes",
    "usage export": "--output -",
    "wallet export": "--output -",
}
"""Arguments with which each command gets as far as the account."""

OFF_AT_FIRST = {"account passkey add", "account binding add"}
"""Commands that a site without passkeys and without bindings refuses to everybody."""


@pytest.fixture
def store(shell: Shell) -> Iterator[Store]:
    shell.add()
    with open_account_store(Options(str(shell.database), shell.key_file), create=False) as store:
        yield store


@pytest.fixture
def alice(store: Store) -> SignedIn:
    answer = store.sign_in.with_password("alice", PASSWORD, source="ssh 192.0.2.1")
    assert isinstance(answer, SignedIn)
    return answer


def below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands of a parser, by name."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found


def leaves(parser: argparse.ArgumentParser, name: str = "") -> dict[str, argparse.ArgumentParser]:
    """The parsers that have no commands, by their words."""
    deeper = below(parser)
    if not deeper:
        return {name: parser}
    found: dict[str, argparse.ArgumentParser] = {}
    for word, child in deeper.items():
        found |= leaves(child, f"{name} {word}".strip())
    return found


def test_every_command_is_allowed_or_for_whoever_runs_the_server() -> None:
    """A command that is new has to be put into one of the two sets."""
    local = {name for name in leaves(command.build_parser()) if name.split()[0] not in FOR_THE_SERVER}
    assert local == ssh_command.ALLOWED
    assert leaves(ssh_command.build_parser()).keys() == ssh_command.ALLOWED


def test_no_command_takes_another_account_or_place(capsys: pytest.CaptureFixture[str]) -> None:
    for name, parser in leaves(ssh_command.build_parser()).items():
        for option in REFUSED:
            with pytest.raises(SystemExit) as ended:
                parser.parse_args([option, "planted"])
            assert ended.value.code == 2
            assert f"leave out {option}" in capsys.readouterr().err
        assert not {*REFUSED, "--no-files"} & set(parser.format_help().split()), name


def test_a_command_that_nobody_allowed_is_refused(
    shell: Shell, alice: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_command, "ALLOWED", ssh_command.ALLOWED - {"wallet prices"})
    ran = shell.over_ssh(alice, "wallet prices")
    assert ran.status == 2
    assert "wallet prices cannot be run over SSH" in ran.err


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        *((name, f"invalid choice: '{name}'") for name in sorted(FOR_THE_SERVER)),
        ("account", "required: ACTION"),
        ("--demo", "acts on the data of this server: leave out --demo"),
        ("settings show --user=alice", "acts on the account that has signed in: leave out --user"),
        ("account --passkey show", "acts on the account that has signed in: leave out --passkey"),
        ("settings show && id", "unrecognized arguments: && id"),
        ("settings show\nid", "unrecognized arguments: id"),
        ("settings set 'privacy", "the command line cannot be read: No closing quotation"),
        ("\x1b]0;owned\x07", "invalid choice"),
        ("\0", "invalid choice"),
    ],
)
def test_what_cannot_be_run_gets_a_sentence(shell: Shell, alice: SignedIn, line: str, sentence: str) -> None:
    ran = shell.over_ssh(alice, line)
    assert ran.status == 2
    assert sentence in " ".join(ran.err.split())
    assert ran.out == ""
    assert "\x1b" not in ran.err


@pytest.mark.parametrize("line", ["", " ", "help", "-h", "--help", "gatekey", "gatekey help"])
def test_help_tells_what_can_be_run(shell: Shell, line: str) -> None:
    ran = shell.over_ssh(None, line)
    assert ran.status == 0
    for family in ssh_command.FAMILIES:
        assert f"    {family} " in ran.out
    assert not {"admin", "serve", *REFUSED} & set(ran.out.split())


@pytest.mark.parametrize("family", ssh_command.FAMILIES)
def test_no_help_tells_that_the_database_needs_no_password(shell: Shell, family: str) -> None:
    ran = shell.over_ssh(None, f"help {family}")
    assert ran.status == 0
    assert "whoever may read" not in " ".join(ran.out.split())


def test_nobody_runs_a_command_without_a_session(shell: Shell, store: Store) -> None:
    ran = shell.over_ssh(None, "settings show")
    assert ran.status == 1
    assert ran.out == ""
    assert "A command needs an account" in ran.err


@pytest.mark.parametrize("name", sorted(ssh_command.ALLOWED - {"account export"}))
def test_a_session_that_has_ended_shows_and_changes_nothing(
    shell: Shell, store: Store, alice: SignedIn, name: str
) -> None:
    """Each command asks for the session: none works on the database as whoever owns it may."""
    store.sessions.end(alice.token)
    before = contents(store)
    stdin = b"7K2QF-" * 4 + b"7K2QF\n" if name == "wallet redeem" else b"yes\n" * 10
    ran = shell.over_ssh(alice, f"{name} {ARGUMENTS.get(name, '')}", stdin)
    assert ran.status == 1, ran.err
    assert ran.out == ""
    assert "This session has ended" in ran.err or name in OFF_AT_FIRST
    assert contents(store) == before


def test_no_file_is_written(shell: Shell, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "planted"
    for line in ("usage export --output", "wallet export --output"):
        answer = store.sign_in.with_password("alice", PASSWORD, source="ssh 192.0.2.1")
        assert isinstance(answer, SignedIn)
        ran = shell.over_ssh(answer, f"{line} {path}")
        assert ran.status == 1
        assert "Files are off" in ran.err
    assert shell.over_ssh(None, f"account export {path}").status == 2, "no file is named"
    assert not path.exists()


def test_the_export_of_the_account_goes_to_the_drawer(shell: Shell, store: Store, alice: SignedIn) -> None:
    ran = shell.over_ssh(alice, "account export")
    assert (ran.status, ran.out) == (0, "scp -P 2222 alice@gateway.example.com:export.json .\n")
    assert "in your drawer for one hour" in ran.err
    again = store.sign_in.with_password("alice", PASSWORD, source="ssh 192.0.2.1")
    assert isinstance(again, SignedIn)
    assert json.loads(fetch(store, again.token, "export.json"))["format"] == "gatekey-export"
    assert json.loads(shell.over_ssh(again, "account export --json").out) == {
        "name": "export.json",
        "command": ran.out.strip(),
    }


def test_a_change_is_the_session_s_own_and_the_session_ends(shell: Shell, store: Store, alice: SignedIn) -> None:
    ran = shell.over_ssh(alice, "settings set privacy.record_client_ip true")
    assert ran.status == 0, ran.err
    with store.database.read() as tx:
        events = store.audit.page(tx, store.accounts.find("alice").id, limit=2)
    assert {(event.actor, event.source) for event in events} >= {("alice", "ssh 192.0.2.1")}
    assert contents(store)["sessions"] == []


def test_a_proof_is_asked_for_as_in_the_console(shell: Shell, store: Store, alice: SignedIn) -> None:
    """A command that waited for its answers longer than a proof is fresh needs another one."""
    with store.database.write() as tx:
        tx.exec_driver_sql("UPDATE sessions SET proof_at = NULL")
    ran = shell.over_ssh(alice, "keys create laptop")
    assert ran.status == 1
    assert ran.out == ""
    assert contents(store)["api_keys"] == []
