"""`gatekey wallet`: the balance, the ledger, the prices, and a code that is read from standard input."""

import errno
import json
from pathlib import Path

import pytest

from tests.harness.command_line import Shell
from tests.harness.quota_calls import spend_quota
from tui.store_location import Options, open_account_store

WALLET = ("wallet", "--user", "alice")


@pytest.fixture
def code(shell: Shell) -> str:
    shell.add("alice", "--quota", "5")
    return shell.run("admin", "code", "create", "--amount", "2.5", "--note", "spring offer").out.strip()


def spend(micro_usd: int) -> None:
    with open_account_store(Options(), create=False) as store:
        spend_quota(store, store.accounts.find("alice").id, micro_usd)


def test_the_balance_is_exact(shell: Shell, code: str) -> None:
    spend(22_191)
    assert shell.run(*WALLET, "show").out.splitlines() == [
        "balance  $4.977809",
        "held     $0.00",
        "used     $0.022191",
    ]
    assert json.loads(shell.run("wallet", "show", "--user", "ALICE", "--json").out) == {
        "user": "alice",
        "remaining_usd": "4.977809",
        "held_usd": "0.00",
        "used_usd": "0.022191",
    }


def test_a_code_is_redeemed_from_standard_input(shell: Shell, code: str) -> None:
    ran = shell.run(*WALLET, "redeem", stdin=f"{code.lower()}\n")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "Redeemed $2.50. alice has $7.50 left.\n"
    again = shell.run(*WALLET, "redeem", "--json", stdin=code)
    assert (again.status, again.out) == (1, "")
    assert "redeemed before" in again.err
    assert code not in again.err
    assert shell.run(*WALLET, "redeem", stdin="nonsense").status == 1


def test_the_ledger_lists_every_change(shell: Shell, code: str) -> None:
    shell.run(*WALLET, "redeem", stdin=code)
    spend(22_191)
    lines = shell.run(*WALLET, "ledger").out.splitlines()
    assert lines[0].split() == ["NO", "TIME", "(UTC)", "WHAT", "AMOUNT,", "USD", "BALANCE", "BY", "REASON"]
    assert lines[1].split()[3:6] == ["call", "-0.022191", "7.477809"]
    assert lines[2].split()[3:6] == ["code", "+2.500000", "7.500000"]
    assert lines[2].endswith("spring offer")
    assert len(lines) == 4
    first = shell.run(*WALLET, "ledger", "--json", "--limit", "2")
    document = json.loads(first.out)
    assert [entry["amount_usd"] for entry in document["entries"]] == ["-0.022191", "2.50"]
    assert document["next_before"] == 2
    rest = json.loads(shell.run(*WALLET, "ledger", "--json", "--before", "2").out)
    assert ([entry["number"] for entry in rest["entries"]], rest["next_before"]) == ([1], None)
    assert "--before 3" in shell.run(*WALLET, "ledger", "--limit", "1").err


def test_the_ledger_is_exported_whole_or_not_at_all(
    shell: Shell, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run(*WALLET, "redeem", stdin=code)
    spend(22_191)
    path = tmp_path / "ledger.jsonl"
    with monkeypatch.context() as full:
        full.setattr("store.new_files.os.fsync", no_space)
        ran = shell.run(*WALLET, "export", "--output", str(path))
        assert (ran.status, ran.out) == (1, "")
        assert "is the disk full?" in ran.err
        assert not path.exists()
    ran = shell.run(*WALLET, "export", "--output", str(path))
    assert (ran.status, ran.out) == (0, "")
    assert ran.err.startswith("3 changes written to ")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["number"], row["amount_usd"], row["balance_usd"]) for row in rows] == [
        (3, "-0.022191", "7.477809"),
        (2, "2.50", "7.50"),
        (1, "5.00", "5.00"),
    ]
    assert shell.run(*WALLET, "export", "--output", "-").out.startswith("number,at,kind,amount_usd,balance_usd,")
    assert shell.run(*WALLET, "export", "--output", str(path)).status == 1, "a file that is there is kept"


def no_space(_handle: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_prices_are_found_by_a_part_of_the_name(shell: Shell, code: str) -> None:
    for model in ("gpt-5", "GPT-5-mini", "claude"):
        shell.run("admin", "price", "set", model, "--input", "1", "--output", "2")
    assert len(shell.run(*WALLET, "prices").out.splitlines()) == 4
    found = json.loads(shell.run(*WALLET, "prices", "--find", "gPt", "--json").out)
    assert {price["model"] for price in found} == {"gpt-5", "GPT-5-mini"}
    assert shell.run(*WALLET, "prices", "--json").out == shell.run("admin", "price", "list", "--json").out


@pytest.mark.parametrize("action", ["show", "ledger", "redeem", "prices"])
def test_nobody_is_told_apart_from_nobody(shell: Shell, code: str, action: str) -> None:
    missing = shell.run("wallet", action, stdin=code)
    assert missing.status == 2
    assert "say whose wallet: --user NAME" in missing.err
    unknown = shell.run("wallet", "--user", "bob", action, stdin=code)
    assert (unknown.status, unknown.out) == (1, "")
    assert "no account of that name" in unknown.err
