"""`gatekey account`: the account page line by line, with the rules and the proofs of the console."""

import json
from pathlib import Path
from typing import Any

import pytest

from store.store import Store
from store.values.sign_in import SignedIn
from tests.harness.command_line import Ran, Shell
from tests.harness.console_steps import enable_two_factor
from tests.harness.stores import PASSWORD
from tui.store_location import Options, open_account_store

NEW_PASSWORD = "seven purple elephants"


@pytest.fixture
def alice(shell: Shell) -> Shell:
    shell.add("alice", "--quota", "5")
    return shell


def run(shell: Shell, *arguments: str, answers: tuple[str, ...] = (), password: str = PASSWORD) -> Ran:
    """Run an action of alice's; her password and the answers are the lines of standard input."""
    return shell.run("account", "--user", "alice", *arguments, stdin="\n".join((password, *answers)) + "\n")


def document(ran: Ran) -> Any:
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


def signed_in(store: Store) -> str:
    """The token of a session of alice's, who has no second factor."""
    answer = store.sign_in.with_password("alice", PASSWORD, source="test")
    assert isinstance(answer, SignedIn)
    return answer.token


def count_sessions() -> int:
    """The number of alice's sessions."""
    with open_account_store(Options(), create=False) as store:
        token = signed_in(store)
        count = len(store.sessions.list(token))
        store.sessions.end(token)
        return count - 1


def codes_after_enabling() -> tuple[str, ...]:
    """Enable alice's second factor; returns the backup codes."""
    with open_account_store(Options(), create=False) as store:
        token = signed_in(store)
        codes = enable_two_factor(store, token).codes
        store.sessions.end(token)
    return codes


def test_the_account_at_a_glance(alice: Shell) -> None:
    shown = document(run(alice, "show", "--json"))
    assert (shown["name"], shown["email"], shown["balance_usd"]) == ("alice", "alice@example.com", "5.00")
    assert shown["two_factor"] == {"enabled": False, "backup_codes_left": 0}
    assert shown["sessions"] == 1
    told = run(alice, "show").out.splitlines()
    assert told[:3] == ["Name: alice", "E-mail address: alice@example.com", "Balance: $5.00"]
    assert "Recommended: Enable Two-Factor Authentication. It is off." in told


def test_no_session_stays_whether_it_went_well_or_not(alice: Shell) -> None:
    assert run(alice, "show").status == 0
    assert run(alice, "sessions", "end", "999").status == 1
    assert count_sessions() == 0


def test_a_wrong_password_and_a_missing_one_are_told(alice: Shell) -> None:
    ran = run(alice, "show", password="wrong")
    assert (ran.status, ran.out) == (1, "")
    assert "Wrong username or password." in ran.err
    ran = alice.run("account", "--user", "alice", "show")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "The password on standard input is empty." in ran.err


def test_the_user_name_is_asked_if_it_is_left_out(alice: Shell) -> None:
    ran = alice.run("account", "show", "--json", stdin=f"alice\n{PASSWORD}\n")
    assert document(ran)["name"] == "alice"


def test_the_password_is_changed_and_the_old_one_is_refused(alice: Shell) -> None:
    refused = run(alice, "password", answers=(NEW_PASSWORD, "another"))
    assert refused.status == 1
    assert run(alice, "show").status == 0
    changed = run(alice, "password", answers=(NEW_PASSWORD, NEW_PASSWORD))
    assert (changed.status, changed.out) == (0, "")
    assert NEW_PASSWORD not in changed.err
    assert run(alice, "show").status == 1
    assert run(alice, "show", password=NEW_PASSWORD).status == 0


def test_a_token_is_printed_once_and_a_second_one_is_asked_for(alice: Shell) -> None:
    first = run(alice, "token", "create")
    assert first.out.startswith("gk_")
    assert first.err == "Keep the token: it is shown once.\n"
    kept = run(alice, "token", "create", answers=("no",))
    assert (kept.status, kept.out) == (1, "")
    with open_account_store(Options(), create=False) as store:
        assert store.access_token.authenticate(first.out.strip()).account_id == 1
    second = document(run(alice, "token", "create", "--json", answers=("yes",)))["token"]
    assert second != first.out.strip()
    assert run(alice, "token", "revoke").status == 0
    ran = run(alice, "token", "revoke")
    assert ran.status == 1


def test_the_second_factor_is_asked_its_codes_renewed_and_it_is_disabled(alice: Shell) -> None:
    codes = codes_after_enabling()
    assert run(alice, "show").status == 1  # a code is asked
    listed = document(run(alice, "sessions", "list", "--json", answers=(codes[0],)))
    assert [session["is_current"] for session in listed["sessions"]] == [True]
    renewed = run(alice, "2fa", "codes", answers=(codes[1],))
    assert "Unused backup codes: 8." in renewed.err
    fresh = renewed.out.split()
    assert len(fresh) == 10
    assert run(alice, "show", answers=(codes[2],)).status == 1
    kept = run(alice, "2fa", "disable", answers=(fresh[0], "no"))
    assert (kept.status, kept.err.splitlines()[-1]) == (1, "Nothing was changed.")
    off = run(alice, "2fa", "disable", answers=(fresh[1], "yes"))
    assert off.status == 0, off.err
    assert run(alice, "show").status == 0


def test_a_wrong_answer_ends_an_enrolment_that_nobody_can_be_asked_about_again(alice: Shell) -> None:
    ran = run(alice, "2fa", "enable", "--json", answers=("not a code",))
    assert ran.status == 1
    begun = json.loads(ran.out)
    assert begun["uri"].startswith("otpauth://totp/")
    assert len(begun["backup_codes"]) == 10
    assert "Step 2 of 3" in ran.err
    assert document(run(alice, "show", "--json"))["two_factor"]["enabled"] is False


def test_other_sessions_are_listed_and_ended(alice: Shell) -> None:
    with open_account_store(Options(), create=False) as store:
        for source in ("pts/1", "pts/2", "pts/3"):
            store.sign_in.with_password("alice", PASSWORD, source=source)
    listed = document(run(alice, "sessions", "list", "--json"))["sessions"]
    assert [each["source"] for each in listed if not each["is_current"]] == ["pts/3", "pts/2", "pts/1"]
    assert run(alice, "sessions", "list").out.splitlines()[0].split() == [
        *("NO", "THIS", "METHOD", "FROM", "STARTED", "LAST", "ACTIVE")
    ]
    (number,) = (each["id"] for each in listed if each["source"] == "pts/2")
    assert run(alice, "sessions", "end", str(number)).err == f"Session {number} has ended.\n"
    assert run(alice, "sessions", "end-others").err == "2 other sessions ended.\n"
    assert run(alice, "sessions", "end-others").err == "There were no other sessions.\n"


def test_an_export_goes_to_a_new_file_and_nowhere_without_files(alice: Shell, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    ran = run(alice, "export", str(path))
    assert (ran.status, ran.out) == (0, f"{path}\n")
    assert '"alice@example.com"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    again = run(alice, "export", str(path))
    assert again.status == 1
    off = run(alice, "--no-files", "export", str(tmp_path / "other.json"))
    assert off.status == 1
    assert not (tmp_path / "other.json").exists()


def test_a_deletion_needs_the_exact_name(shell: Shell) -> None:
    shell.add("root", "--role", "admin")
    shell.add("alice")
    wrong = run(shell, "delete", answers=("Alice",))
    assert wrong.status == 1
    assert "username does not match" in wrong.err
    gone = run(shell, "delete", answers=("alice",))
    assert gone.status == 0, gone.err
    assert run(shell, "show").status == 1


def test_passkeys_and_bindings_say_what_there_is_and_what_cannot_be(alice: Shell) -> None:
    assert document(run(alice, "passkey", "list", "--json")) == {"passkeys": []}
    ran = run(alice, "passkey", "add", "laptop")
    assert ran.status == 1
    assert "passkey" in ran.err.lower()
    assert document(run(alice, "binding", "list", "--json")) == {"bindings": []}
    assert run(alice, "binding", "remove", "github").status == 1
    assert run(alice, "binding", "add", "github").status == 1


def test_no_secret_is_taken_from_the_command_line(alice: Shell) -> None:
    for option in ("--password", "--code", "--new-password"):
        assert run(alice, "password", option, "x").status == 2
