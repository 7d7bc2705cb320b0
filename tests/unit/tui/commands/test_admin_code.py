"""`gatekey admin code`: codes are printed once, listed without themselves, and revoked."""

import json
import re

from store.values.ledger import LedgerKind
from tests.harness.command_line import Shell
from tests.harness.ledger_checks import ledger_of
from tui.store_location import Options, open_account_store

CODE = r"(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}"


def test_codes_stand_alone_on_standard_output(shell: Shell) -> None:
    shell.add()
    ran = shell.run("admin", "code", "create", "--amount", "5", "--count", "10")
    assert ran.status == 0, ran.err
    codes = ran.out.splitlines()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(CODE, code) for code in codes)
    assert "Made 10 codes of $5.00: 1 to 10." in ran.err
    assert not re.search(CODE, ran.err)


def test_one_code_as_json(shell: Shell) -> None:
    shell.add()
    ran = shell.run("admin", "code", "create", "--amount", "0.000001", "--json")
    (made,) = json.loads(ran.out)
    assert made["number"] == 1
    assert re.fullmatch(CODE, made["code"])
    assert "Made 1 code of $0.000001: 1." in ran.err


def test_the_list_never_shows_a_code(shell: Shell) -> None:
    shell.add()
    code = shell.run("admin", "code", "create", "--amount", "5", "--expires", "30", "--note", "spring").out.strip()
    shell.run("admin", "code", "create", "--amount", "1")
    assert shell.run("admin", "code", "revoke", "2").status == 0
    listed = shell.run("admin", "code", "list")
    assert code not in listed.out
    first, second = listed.out.splitlines()[1:]
    assert "open" in first
    assert "spring" in first
    assert f"…{code[-4:]}" in first
    assert "revoked" in second
    shown = json.loads(shell.run("admin", "code", "list", "--json").out)
    assert [(one["number"], one["state"], one["amount_usd"]) for one in shown] == [
        (1, "open", "5.00"),
        (2, "revoked", "1.00"),
    ]


def test_a_wrong_command_line_makes_nothing(shell: Shell) -> None:
    shell.add()
    before = shell.fingerprint()
    for wrong in (
        ("create", "--amount", "0"),
        ("create", "--amount", "-5"),
        ("create", "--amount", "5", "--count", "0"),
        ("create", "--amount", "5", "--count", "1001"),
        ("create", "--amount", "5", "--expires", "0"),
        ("create",),
        ("revoke", "1"),
        ("revoke", "x"),
        (),
    ):
        ran = shell.run("admin", "code", *wrong)
        assert ran.status in (1, 2), wrong
        assert ran.out == ""
    assert shell.fingerprint() == before


def test_the_reason_of_a_top_up_stands_in_the_ledger(shell: Shell) -> None:
    shell.add()
    assert shell.run("admin", "quota", "alice", "+5", "--reason", "monthly budget").status == 0
    assert shell.run("admin", "quota", "alice", "-1").status == 0
    with open_account_store(Options(), create=False) as store:
        entries = ledger_of(store, store.accounts.find("alice").id)
    assert [(entry.kind, entry.reason) for entry in entries[-2:]] == [
        (LedgerKind.TOP_UP, "monthly budget"),
        (LedgerKind.DEBIT, ""),
    ]
