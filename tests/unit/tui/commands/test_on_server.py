"""Commands on an account of a server: the words and the JSON of a database, and a sentence for what is not there."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.harness.command_line import Ran, Shell
from tests.harness.standin_rows import add_payments
from tests.new_api.api_keys import add_key
from tests.new_api.running import PASSWORD, StandIn


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standin: StandIn) -> Shell:
    """A person whose session on the server is kept."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config-home"))
    shell = Shell(tmp_path, monkeypatch)
    ran = shell.run("server", "add", standin.address, "--name", "alice", stdin=f"{PASSWORD}\n")
    assert ran.status == 0, ran.err
    return shell


def run(shell: Shell, standin: StandIn, *words: str) -> Ran:
    return shell.run("--server", standin.address, *words)


def document(shell: Shell, standin: StandIn, *words: str) -> dict[str, Any]:
    ran = run(shell, standin, *words, "--json")
    assert ran.status == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def add_calls(standin: StandIn, count: int) -> None:
    for number in range(1, count + 1):
        facts = {"model_name": "stub-model", "token_name": "laptop", "prompt_tokens": number, "completion_tokens": 1}
        standin.world.log(standin.alice, 2, "", **facts, quota=500)


def test_a_model_without_a_price_has_none_in_the_list(shell: Shell, standin: StandIn) -> None:
    ran = run(shell, standin, "wallet", "prices", "--json")
    prices = {price["model"]: price for price in json.loads(ran.out)}
    amounts = ("input_usd_per_million_tokens", "output_usd_per_million_tokens", "request_usd")
    assert [prices["free-model"][name] for name in amounts] == [None, None, None]
    assert prices["stub-model"]["input_usd_per_million_tokens"] == "2.00"
    lines = run(shell, standin, "wallet", "prices").out.splitlines()
    assert ["free-model", "no", "price"] in [line.split() for line in lines]


def test_the_whole_log_is_exported_page_by_page(shell: Shell, standin: StandIn, tmp_path: Path) -> None:
    add_calls(standin, 120)
    target = tmp_path / "calls.csv"
    ran = run(shell, standin, "usage", "export", "--output", str(target))
    assert ran.status == 0, ran.err
    assert "120 calls written" in ran.err
    rows = list(csv.DictReader(StringIO(target.read_text())))
    assert [int(row["prompt_tokens"]) for row in rows] == list(range(120, 0, -1))
    assert {(row["model"], row["api_key_name"], row["cost_usd"]) for row in rows} == {("stub-model", "laptop", "0.001")}
    ran = run(shell, standin, "usage", "export", "--output", "-", "--format", "json", "--model", "other")
    assert (ran.status, json.loads(ran.out)) == (0, [])


def test_totals_are_those_of_the_servers_statistics(shell: Shell, standin: StandIn) -> None:
    now = int(datetime.now(UTC).timestamp())  # a command counts days by the clock of the machine
    for model, quota in (("cheap", 500), ("dear", 5_000), ("dear", 5_000)):
        hour = {"user_id": standin.alice.id, "model_name": model, "created_at": now, "count": 2}
        standin.world.usage_by_hour.append({**hour, "token_used": 30, "quota": quota})
    total = {"names": 1, "calls": 4, "errors": None, "tokens": 60, "cost_usd": "0.02"}
    found = document(shell, standin, "usage", "totals")
    assert found["totals"][0] == {"name": "dear", **total}
    assert [one["name"] for one in found["totals"]] == ["dear", "cheap"]
    assert "not told" in run(shell, standin, "usage", "totals").out
    for words in (("--days", "31"), ("--by", "key")):
        ran = run(shell, standin, "usage", "totals", *words)
        assert (ran.status, "This server adds up" in ran.err) == (1, True)


def test_without_statistics_there_are_no_totals(shell: Shell, standin: StandIn) -> None:
    standin.world.status["enable_data_export"] = False
    ran = run(shell, standin, "usage", "totals")
    assert (ran.status, ran.out) == (1, "")
    assert "has switched statistics off" in ran.err


def test_the_ledger_is_the_list_of_payments(shell: Shell, standin: StandIn) -> None:
    add_payments(standin, 60)
    first = document(shell, standin, "wallet", "ledger", "--limit", "55")
    assert [entry["number"] for entry in first["entries"]] == list(range(60, 5, -1))
    assert (first["next_before"], first["entries"][0]["balance_usd"]) == (6, None)
    assert (first["entries"][0]["amount_usd"], first["entries"][0]["reason"]) == ("60.00", "alipay · success")
    rest = document(shell, standin, "wallet", "ledger", "--before", "6")
    assert [entry["number"] for entry in rest["entries"]] == [5, 4, 3, 2, 1]
    assert (rest["next_before"], rest["entries"][-1]["amount_usd"]) == (None, "0.00")
    ran = run(shell, standin, "wallet", "ledger")
    assert "This server keeps no ledger" in ran.err
    assert "not told" in ran.out


def test_payments_are_exported(shell: Shell, standin: StandIn) -> None:
    add_payments(standin, 60)
    ran = run(shell, standin, "wallet", "export", "--output", "-", "--format", "jsonl")
    assert ran.status == 0, ran.err
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["number"] for row in rows] == list(range(60, 0, -1))
    assert {row["balance_usd"] for row in rows} == {None}


def test_a_key_gets_another_name_and_other_limits(shell: Shell, standin: StandIn) -> None:
    key = add_key(standin.world, standin.alice, name="laptop", unlimited_quota=True, expired_time=-1)
    words = ("--name", "phone", "--limit", "3", "--models", "stub-model", "--networks", "10.0.0.0/24")
    edited = document(shell, standin, "keys", "edit", "laptop", *words)
    assert (edited["name"], edited["spend_limit_usd"], edited["allowed_models"]) == ("phone", "3.00", ["stub-model"])
    assert (key["name"], key["remain_quota"], key["unlimited_quota"]) == ("phone", 1_500_000, False)
    assert document(shell, standin, "keys", "edit", "1", "--limit", "")["spend_limit_usd"] is None
    ran = run(shell, standin, "keys", "edit", "phone", "--rate", "60")
    assert (ran.status, "--rate" in ran.err, key["name"]) == (1, True, "phone")


def test_a_key_is_not_rotated_and_one_sentence_says_why(shell: Shell, standin: StandIn) -> None:
    key = dict(add_key(standin.world, standin.alice, name="laptop", unlimited_quota=True, expired_time=-1))
    ran = run(shell, standin, "keys", "rotate", "laptop", "--yes")
    assert (ran.status, ran.out) == (1, "")
    assert "This server makes no new secret for a key: make another key." in ran.err
    assert standin.world.keys == [key]
