"""`gatekey usage`: list, totals and export say what the store has, and a wrong option is told."""

import csv
import errno
import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from store.export_rows import call_row
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry, UsageFilter
from tests.harness.command_line import Shell
from tui.store_location import Options, open_account_store

CALLS = 30


@pytest.fixture
def used(shell: Shell) -> Shell:
    shell.add()
    with open_account_store(Options(), create=False) as store:
        account = store.accounts.find("alice")
        for number in range(CALLS):
            entry = UsageEntry(
                Kind.ERROR if number % 10 == 9 else Kind.CONSUMPTION,
                f"model-{number % 3}",
                "laptop" if number % 2 else "build",
                f"req-{number}",
                "503" if number % 10 == 9 else "ok",
                prompt_tokens=1000 * number,
                completion_tokens=number,
                cost_micro_usd=1_234_567 * (number % 10 != 9),
                price=ModelPrice("m", 3_000_000, 15_000_000),
            )
            store.usage.record(account.id, entry)
    return shell


def stored(only: UsageFilter | None = None) -> list[dict[str, Any]]:
    with open_account_store(Options(), create=False) as store, store.database.read() as tx:
        page = store.usage.page_of(tx, store.accounts.find("alice").id, only or UsageFilter(), limit=500)
    return [call_row(logged) for logged in page.entries]


def test_the_list_is_the_log(used: Shell) -> None:
    ran = used.run("usage", "--user", "alice", "list", "--limit", "5", "--json")
    shown = json.loads(ran.out)
    assert (ran.status, shown["entries"]) == (0, stored()[:5])
    following = used.run("usage", "list", "--user", "alice", "--before", str(shown["next_before"]), "--json")
    assert json.loads(following.out) == {"entries": stored()[5:], "next_before": None}
    table = used.run("usage", "--user", "alice", "list", "--limit", "5")
    lines = table.out.splitlines()
    assert lines[0].split()[:4] == ["ID", "TIME", "(UTC)", "KIND"]
    assert len(lines) == 6
    assert "29,000" in lines[1]
    assert len({line.index(".") for line in lines[2:]}) == 1, "decimal points stand below each other"
    assert table.err == f"Older calls: --before {stored()[4]['id']}\n"


@pytest.mark.parametrize(
    ("options", "only"),
    [
        (["--model", "model-1"], UsageFilter(models=("model-1",))),
        (["--model", "model-1", "--model", "model-2"], UsageFilter(models=("model-1", "model-2"))),
        (["--kind", "error", "--key", "laptop"], UsageFilter(kind=Kind.ERROR, keys=("laptop",))),
        (["--status", "503"], UsageFilter(statuses=("503",))),
        (["--since", "24h", "--until", "today"], UsageFilter()),
        (["--ip", "203.0.113.7"], UsageFilter(ip="203.0.113.7")),
    ],
)
def test_the_list_and_the_export_take_every_filter(
    used: Shell, tmp_path: Path, options: list[str], only: UsageFilter
) -> None:
    expected = stored(only)
    assert json.loads(used.run("usage", "--user", "alice", "list", "--json", *options).out)["entries"] == expected
    path = tmp_path / "calls.json"
    ran = used.run("usage", "--user", "alice", "export", "--output", str(path), *options)
    assert ran.status == 0, ran.err
    assert json.loads(path.read_text()) == expected
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_export_goes_to_standard_output_too(used: Shell) -> None:
    ran = used.run("usage", "--user", "alice", "export", "--output", "-")
    assert (ran.status, ran.err) == (0, "")
    assert [int(row["id"]) for row in csv.DictReader(StringIO(ran.out, newline=""))] == [row["id"] for row in stored()]
    lines = used.run("usage", "--user", "alice", "export", "--format", "jsonl", "--output", "-").out.splitlines()
    assert [json.loads(line) for line in lines] == stored()


def test_a_file_that_is_there_is_kept(used: Shell, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("mine")
    ran = used.run("usage", "--user", "alice", "export", "--output", str(path))
    assert ran.status == 1
    assert "already a file" in ran.err
    assert path.read_text() == "mine"
    off = used.run("usage", "--user", "alice", "export", "--no-files", "--output", str(tmp_path / "other.csv"))
    assert off.status == 1
    assert not (tmp_path / "other.csv").exists()


def test_a_full_disk_leaves_nothing_half(used: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("store.new_files.os.fsync", no_space)
        ran = used.run("usage", "--user", "alice", "export", "--output", str(tmp_path / "calls.csv"))
    assert ran.status == 1
    assert "is the disk full?" in ran.err
    assert list(tmp_path.glob("calls*")) == []


def test_totals_by_model_and_by_key(used: Shell) -> None:
    shown = json.loads(used.run("usage", "--user", "alice", "totals", "--json").out)
    assert {total["name"] for total in shown["totals"]} == {"", "model-0", "model-1", "model-2"}
    assert sum(total["calls"] for total in shown["totals"]) == CALLS
    assert sum(total["errors"] for total in shown["totals"]) == 3
    keys = used.run("usage", "--user", "alice", "totals", "--by", "key")
    assert [line.split()[0] for line in keys.out.splitlines()] == ["KEY", "build", "laptop"]
    assert "18.518505" in keys.out


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["list", "--since", "2x"], "--since '2x': Enter a date"),
        (["list", "--since", "7d", "--until", "8d"], "--until is before --since"),
        (["export", "--output", "-", "--ip", "10.0.0"], "enter an IP address"),
        (["export"], "--output"),
        (["list", "--limit", "501"], "from 1 to 500"),
        (["totals", "--days", "0"], "from 1 to 366"),
    ],
)
def test_a_wrong_option_is_told(used: Shell, options: list[str], why: str) -> None:
    ran = used.run("usage", "--user", "alice", *options)
    assert ran.status == 2
    assert why in ran.err


def test_an_empty_log(shell: Shell) -> None:
    shell.add()
    assert shell.run("usage", "--user", "alice", "list").out.startswith("ID")
    assert shell.run("usage", "--user", "alice", "totals").out.startswith("MODEL")
    assert json.loads(shell.run("usage", "--user", "alice", "export", "--format", "json", "--output", "-").out) == []
