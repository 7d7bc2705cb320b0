"""`gatekey import new-api`: from an account on a server into one of this database, told part by part."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.command_line import Shell
from tests.new_api.api_keys import OFF, add_key
from tests.new_api.generations import Generation
from tests.new_api.running import PASSWORD, StandIn, running


@pytest.fixture(params=list(Generation), ids=lambda generation: generation.name)
def standin(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    with running(request.param) as found:
        alice = found.alice
        alice.email = "alice@example.org"
        alice.store(
            (alice.setting or {})
            | {
                "notify_type": "gotify",
                "quota_warning_threshold": 1_000_000,
                "gotify_url": "https://gotify.example.com",
                "gotify_token": "AbCdEfGhIjKlMnOpQr",
                "gotify_priority": 8,
                "record_ip_log": True,
                "language": "en",
            }
        )
        add_key(found.world, alice, name="laptop", remain_quota=1_500_000, expired_time=-1)
        add_key(found.world, alice, name="old", unlimited_quota=True, expired_time=-1, status=OFF)
        yield found


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standin: StandIn) -> Shell:
    """A person with an account here, and with a kept session there."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config-home"))
    shell = Shell(tmp_path, monkeypatch)
    shell.add("alice")
    ran = shell.run("server", "add", standin.address, "--name", "alice", stdin=f"{PASSWORD}\n")
    assert ran.status == 0, ran.err
    return shell


def imported(shell: Shell, standin: StandIn, *more: str) -> dict[str, Any]:
    ran = shell.run("import", "new-api", "--server", standin.address, "--user", "alice", "--json", *more)
    assert ran.status == 0, ran.err
    document: dict[str, Any] = json.loads(ran.out)
    return document


def test_it_tells_of_each_part_and_writes_what_can_be_carried(shell: Shell, standin: StandIn) -> None:
    before = dict(standin.alice.setting or {})
    document = imported(shell, standin)
    assert (document["user"], document["server"], document["keys"]) == ("alice", standin.address, [])
    parts = {part["what"]: (part["result"], part["detail"]) for part in document["parts"]}
    assert parts["name"] == ("the same", "alice")
    assert parts["e-mail address"] == ("carried", "alice@example.org")
    assert parts["warning threshold"] == ("carried", "$2.00")
    assert parts["Gotify token"] == ("carried", "…OpQr")
    assert parts["recorded addresses"] == ("carried", "on")
    assert parts["API key laptop"][0] == "left out"
    assert parts["API key old"] == ("left out", "It is disabled there.")
    assert parts["balance"] == ("left out", "$5.00 stay there. `gatekey admin quota` gives quota here.")
    assert {"password", "usage log", "language of messages", "display name"} <= set(parts)
    shown = json.loads(shell.run("settings", "--user", "alice", "show", "--json").out)
    assert shown["notifications"]["threshold"] == "2.00"
    assert (shown["notifications"]["gotify_on"], shown["notifications"]["gotify_priority"]) == (True, 8)
    assert shown["privacy"]["record_client_ip"] is True
    assert standin.alice.setting == before, "nothing is changed on the server"


def test_new_keys_are_made_only_if_asked_for(shell: Shell, standin: StandIn) -> None:
    (made,) = imported(shell, standin, "--make-keys")["keys"]
    assert made["name"] == "laptop"
    assert made["key"].removeprefix("sk-") not in {key["key"] for key in standin.world.keys}
    (listed,) = json.loads(shell.run("keys", "--user", "alice", "list", "--json").out)["keys"]
    assert (listed["name"], listed["spend_limit_usd"]) == ("laptop", "3.00")
    assert imported(shell, standin, "--make-keys")["keys"] == []


def test_prices_are_carried_where_the_server_names_them(shell: Shell, standin: StandIn) -> None:
    standin.world.options |= {
        "ModelRatio": '{"stub-model":1,"boom-model":0.1428571}',
        "CompletionRatio": '{"stub-model":2}',
    }
    parts = {part["what"]: (part["result"], part["detail"]) for part in imported(shell, standin)["parts"]}
    assert parts["price of stub-model"] == ("carried", "$2.00 in, $4.00 out per million tokens")
    assert parts["price of boom-model"] == ("left out", "It is no whole number of millionths of a dollar.")
    assert parts["price of free-model"] == ("left out", "The server names no price for it.")
    (price,) = json.loads(shell.run("admin", "price", "list", "--json").out)
    assert (price["model"], price["output_usd_per_million_tokens"]) == ("stub-model", "4.00")


def test_a_dry_run_tells_the_same_and_writes_nothing(shell: Shell, standin: StandIn) -> None:
    before = shell.fingerprint()
    preview = imported(shell, standin, "--dry-run", "--make-keys")
    assert shell.fingerprint() == before
    assert (preview["dry_run"], preview["keys"]) == (True, [])
    ran = shell.run("--server", standin.address, "import", "new-api", "--user", "alice", "--dry-run")
    assert ran.err.startswith("Nothing was written. From ")
    assert shell.fingerprint() == before
    written = imported(shell, standin, "--make-keys")
    assert shell.fingerprint() != before
    assert written["parts"] == preview["parts"]
    assert written["dry_run"] is False


def test_without_json_it_is_a_table_and_a_sentence(shell: Shell, standin: StandIn) -> None:
    ran = shell.run("--server", standin.address, "import", "new-api", "--user", "alice", "--make-keys")
    assert ran.status == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].split() == ["PART"]
    assert any(line.split()[:4] == ["e-mail", "address", "carried", "alice@example.org"] for line in lines)
    assert lines[-1].startswith("laptop")
    assert "left out.\n" in ran.err


def test_what_is_missing_is_said_before_anything_is_written(shell: Shell, standin: StandIn) -> None:
    before = shell.fingerprint()
    ran = shell.run("import", "new-api", "--user", "alice")
    assert (ran.status, "say from which server: --server URL" in ran.err) == (2, True)
    ran = shell.run("import", "new-api", "--server", standin.address)
    assert (ran.status, "--user NAME" in ran.err) == (2, True)
    ran = shell.run("import", "new-api", "--server", standin.address, "--user", "bob")
    assert (ran.status, "Traceback" in ran.err) == (1, False)
    assert shell.run("server", "remove", standin.address).status == 0
    ran = shell.run("import", "new-api", "--server", standin.address, "--user", "alice")
    assert (ran.status, "gatekey server add" in ran.err) == (1, True)
    assert shell.fingerprint() == before
