"""`gatekey keys`: a new secret goes to standard output once, every act is the system user's, and limits are typed."""

import json
from typing import Any

import pytest

from store.errors import InvalidApiKey
from store.text import cell_width
from tests.harness.command_line import Shell
from tui.store_location import Options, open_account_store

KEYS = ("keys", "--user", "alice")


@pytest.fixture
def key(shell: Shell) -> str:
    shell.add("alice", "--quota", "5")
    ran = shell.run(*KEYS, "create", "build", "--limit", "5", "--reset", "monthly", "--rate", "60")
    assert ran.status == 0, ran.err
    assert ran.err == "Created build. Keep the key: it is shown once.\n"
    return ran.out.strip()


def works(key: str) -> bool:
    with open_account_store(Options(), create=False) as store:
        try:
            return not store.api_keys.authenticate(key).is_disabled
        except InvalidApiKey:
            return False


def document(shell: Shell, *arguments: str) -> dict[str, Any]:
    ran = shell.run(*KEYS, *arguments, "--json")
    assert ran.status == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_a_key_is_listed_without_its_secret(shell: Shell, key: str) -> None:
    assert works(key)
    ran = shell.run(*KEYS, "list")
    assert key not in ran.out
    assert ran.out.splitlines()[0].split()[:4] == ["NO", "NAME", "KEY", "STATE"]
    assert ran.out.splitlines()[1].split()[:7] == ["1", "build", f"sk-…{key[-4:]}", "active", "0.00", "5.00", "monthly"]
    (listed,) = document(shell, "list")["keys"]
    assert (listed["spend_limit_usd"], listed["limit_period"], listed["requests_per_minute"]) == ("5.00", "monthly", 60)


def test_the_columns_of_wide_names_stand_below_each_other(shell: Shell, key: str) -> None:
    assert shell.run("keys", "--user", "alice", "create", "日本語のキー").status == 0
    head, wide, narrow = shell.run("keys", "--user", "alice", "list").out.splitlines()
    assert cell_width(wide.partition("sk-…")[0]) == cell_width(narrow.partition("sk-…")[0]) == head.index("KEY")


def test_a_key_is_edited_by_its_name_or_its_number(shell: Shell, key: str) -> None:
    edited = document(shell, "edit", "build", "--models", "gpt-5, gpt-5-mini", "--networks", "10.0.0.0/24")
    assert (edited["allowed_models"], edited["allowed_networks"]) == (["gpt-5", "gpt-5-mini"], ["10.0.0.0/24"])
    edited = document(shell, "edit", "1", "--name", "builder", "--limit", "", "--models", "", "--expires", "30")
    assert (edited["name"], edited["spend_limit_usd"], edited["allowed_models"]) == ("builder", None, None)
    assert (edited["limit_period"], edited["requests_per_minute"]) == ("none", 60)
    assert edited["expires_at"] is not None
    ran = shell.run(*KEYS, "edit", "1", "--reset", "monthly")
    assert (ran.status, ran.out) == (1, "")
    assert "Set a limit first." in ran.err


def test_a_name_that_two_keys_have_needs_the_number(shell: Shell, key: str) -> None:
    shell.run(*KEYS, "create", "build")
    ran = shell.run(*KEYS, "disable", "build")
    assert (ran.status, ran.out) == (1, "")
    assert "Name one by its number: 2, 1." in ran.err
    assert shell.run(*KEYS, "disable", "2").status == 0
    assert works(key)
    assert shell.run(*KEYS, "disable", "nothing").status == 1


def test_a_key_is_disabled_and_enabled(shell: Shell, key: str) -> None:
    assert shell.run(*KEYS, "disable", "build").err == "Disabled build.\n"
    assert not works(key)
    assert shell.run(*KEYS, "disable", "build").status == 1
    assert shell.run(*KEYS, "enable", "build").err == "Enabled build.\n"
    assert works(key)


def test_a_rotation_without_an_overlap_and_a_revocation_are_confirmed(shell: Shell, key: str) -> None:
    for action in ("rotate", "revoke"):
        ran = shell.run(*KEYS, action, "build")
        assert (ran.status, ran.out) == (2, "")
    assert works(key)
    overlapping = shell.run(*KEYS, "rotate", "build", "--overlap", "2h")
    second = overlapping.out.strip()
    assert "The old key works until" in overlapping.err
    assert works(key)
    assert works(second)
    third = shell.run(*KEYS, "rotate", "build", "--yes").out.strip()
    assert [works(each) for each in (key, second, third)] == [False, False, True]
    assert shell.run(*KEYS, "revoke", "build", "--yes").err == "Revoked build.\n"
    assert not works(third)
    assert shell.run(*KEYS, "list", "--hide-revoked").out.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--limit", "a lot"),
        ("--expires", "soon"),
        ("--models", "x" * 201),
        ("--networks", "10.0.0.1/24"),
        ("--rate", "0"),
    ],
)
def test_what_does_not_fit_makes_no_key(shell: Shell, key: str, arguments: tuple[str, str]) -> None:
    ran = shell.run(*KEYS, "create", "other", *arguments)
    assert (ran.status, ran.out) == (1, "")
    assert shell.run(*KEYS, "list").out.count("\n") == 2


def test_every_act_is_recorded_with_the_systems_user(shell: Shell, key: str) -> None:
    shell.run(*KEYS, "edit", "build", "--rate", "30")
    with open_account_store(Options(), create=False) as store, store.database.read() as tx:
        events = store.audit.page(tx, store.accounts.find("alice").id)[:2]
    assert [event.tag for event in events] == ["api-key:changed", "api-key:created"]
    assert all(event.actor.startswith("unix:") and event.source == "command line" for event in events)
    assert events[0].detail == {"name": "build", "changed": "requests per minute"}


def test_the_account_has_to_be_named(shell: Shell, key: str) -> None:
    assert shell.run("keys", "list").status == 2
    assert shell.run("keys", "--user", "nobody", "list").status == 1
