"""Acts of an administrator from the shell, each of which is recorded."""

import getpass
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store import schema
from store.store import Store
from store.values.sign_in import SignedIn
from tests.harness.command_line import Shell, me
from tests.harness.stores import PASSWORD
from tui.commands import admin_upgrade
from tui.store_location import Options, open_account_store

NEW_PASSWORD = "another quite unlikely sentence"


def opened(_: Shell) -> Store:
    return open_account_store(Options(), create=False)


def events(shell: Shell, name: str) -> list[tuple[str, str, str]]:
    with opened(shell) as store, store.database.read() as tx:
        page = store.audit.page(tx, store.accounts.find(name).id)
    return [(event.tag, event.actor, event.source) for event in page]


def test_the_first_account_makes_a_private_database_and_key(shell: Shell) -> None:
    add = ("admin", "user", "add", "alice", "--email", "alice@example.com", "--role", "root", "--password-stdin")
    assert shell.run(*add, stdin=PASSWORD).status == 0
    for path, mode in (
        (shell.database, 0o600),
        (shell.key_file, 0o600),
        (shell.folder, 0o700),
        (shell.key_file.parent, 0o700),
    ):
        assert path.stat().st_mode & 0o777 == mode
    assert events(shell, "alice") == [("account:created", me(), "command line")]


def test_the_recorded_actor_is_the_system_user_whatever_the_environment_says(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LOGNAME", "USER", "USERNAME"):
        monkeypatch.setenv(variable, "somebody-else")
    shell.add("alice")
    assert events(shell, "alice")[0][1] == me()
    # Who called sudo stands beside the user, and never for it.
    monkeypatch.setenv("SUDO_USER", "somebody-else")
    shell.add("bob")
    assert events(shell, "bob")[0][1] == f"{me()} SUDO_USER:somebody-else"
    monkeypatch.setenv("SUDO_USER", "root unix:alice")
    shell.add("carol")
    assert events(shell, "carol")[0][1] == me()


def test_a_password_arrives_whole(shell: Shell) -> None:
    odd = "  leading, trailing and Zoë \t "
    ran = shell.run("admin", "user", "add", "zoe", "--email", "zoe@example.com", "--password-stdin", stdin=f"{odd}\n")
    assert ran.status == 0, ran.err
    with opened(shell) as store:
        assert isinstance(store.sign_in.with_password("zoe", odd, source="test"), SignedIn)


def test_a_person_at_a_terminal_types_the_password_twice(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter([PASSWORD, "something else", PASSWORD, PASSWORD])
    monkeypatch.setattr(getpass, "getpass", lambda *_args, **_more: next(typed))
    add = ("admin", "user", "add", "alice", "--email", "alice@example.com")
    refused = shell.run(*add, terminal=True)
    assert refused.status == 1
    assert "not the same twice" in refused.err
    assert shell.run(*add, terminal=True).status == 0


def test_a_person_who_types_nothing_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: object, **__: object) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", ended)
    ran = shell.run("admin", "user", "add", "alice", "--email", "alice@example.com", terminal=True)
    assert ran.status == 1
    assert "empty" in ran.err
    assert not shell.database.exists()


def test_list_shows_everyone(shell: Shell) -> None:
    shell.add("alice", "--role", "admin", "--quota", "20.50")
    shell.add("bob")
    table = shell.run("admin", "user", "list").out.splitlines()
    assert [line.split()[0] for line in table] == ["NAME", "alice", "bob"]
    assert table[1].split()[1:4] == ["admin", "alice@example.com", "$20.50"]
    listed = json.loads(shell.run("admin", "user", "list", "--json").out)
    assert [(row["name"], row["role"], row["remaining_usd"]) for row in listed] == [
        ("alice", "admin", "20.50"),
        ("bob", "user", "0.00"),
    ]


def test_a_role_changes_and_the_last_administrator_stays(shell: Shell) -> None:
    shell.add("alice", "--role", "admin")
    shell.add("bob")
    assert shell.run("admin", "user", "role", "alice", "user").status == 1
    assert shell.run("admin", "user", "role", "bob", "admin").status == 0
    assert shell.run("admin", "user", "role", "alice", "user").status == 0
    assert events(shell, "bob")[0] == ("account:role-changed", me(), "command line")


def test_a_reset_password_works_and_the_old_one_does_not(shell: Shell) -> None:
    shell.add("alice")
    ran = shell.run("admin", "user", "reset-password", "alice", "--password-stdin", stdin=NEW_PASSWORD)
    assert ran.status == 0
    assert NEW_PASSWORD not in ran.err
    with opened(shell) as store:
        assert isinstance(store.sign_in.with_password("alice", NEW_PASSWORD, source="test"), SignedIn)
    assert "password:reset" in [tag for tag, _, _ in events(shell, "alice")]


def test_unlock_lifts_a_lock(shell: Shell) -> None:
    from store.errors import NotAuthentic, TooManyAttempts

    shell.add("alice")
    with opened(shell) as store:
        for attempt in range(5):
            with pytest.raises(NotAuthentic):
                store.sign_in.with_password("alice", "wrong", source=f"pts/{attempt}")
        with pytest.raises(TooManyAttempts):
            store.sign_in.with_password("alice", PASSWORD, source="pts/9")
        assert shell.run("admin", "user", "unlock", "alice").status == 0
        assert isinstance(store.sign_in.with_password("alice", PASSWORD, source="pts/10"), SignedIn)


@pytest.mark.parametrize(
    ("amount", "left"), [("+5", "$15.00"), ("-2.5", "$7.50"), ("=0", "$0.00"), ("=$1.25", "$1.25")]
)
def test_quota(shell: Shell, amount: str, left: str) -> None:
    shell.add("alice", "--quota", "10")
    ran = shell.run("admin", "quota", "alice", amount)
    assert ran.status == 0
    assert left in ran.err
    assert events(shell, "alice")[0] == ("quota:changed", me(), "command line")


def test_prices(shell: Shell) -> None:
    shell.add()
    assert shell.run("admin", "price", "set", "tiny", "--input", "0.000001", "--output", "2").status == 0
    assert (
        shell.run("admin", "price", "set", "big/model", "--input", "3", "--output", "15", "--request", "0.01").status
        == 0
    )
    assert shell.run("admin", "price", "set", "tiny", "--input", "0.25", "--output", "2").status == 0
    assert shell.run("admin", "price", "list").out.splitlines()[1].split() == ["big/model", "$3.00", "$15.00", "$0.01"]
    listed = json.loads(shell.run("admin", "price", "list", "--json").out)
    assert listed[1] == {
        "model": "tiny",
        "input_usd_per_million_tokens": "0.25",
        "output_usd_per_million_tokens": "2.00",
        "request_usd": "0.00",
        "cached_input_usd_per_million_tokens": None,
        "max_output_tokens": None,
    }
    cached = ("admin", "price", "set", "tiny", "--input", "0.25", "--output", "2", "--cached-input", "0.025")
    assert shell.run(*cached).status == 0
    assert shell.run("admin", "price", "list").out.splitlines()[0].split()[-1] == "CACHED/1M"
    assert shell.run("admin", "price", "list").out.splitlines()[2].split()[-1] == "$0.025"
    listed = json.loads(shell.run("admin", "price", "list", "--json").out)
    assert listed[1]["cached_input_usd_per_million_tokens"] == "0.025"
    assert shell.run(*cached[:-1], "-1").status == 1
    assert shell.run(*cached[:-1], "5").status == 1
    longest = ("admin", "price", "set", "tiny", "--input", "0.25", "--output", "2", "--max-output")
    assert shell.run(*longest, "64000").status == 0
    row = shell.run("admin", "price", "list").out.splitlines()[2]
    assert row.split() == ["tiny", "$0.25", "$2.00", "$0.00", "64,000"]
    assert json.loads(shell.run("admin", "price", "list", "--json").out)[1]["max_output_tokens"] == 64_000
    assert shell.run(*longest, "0").status == 1
    for wrong in ("many", "64k", "64000 tokens"):
        assert shell.run(*longest, wrong).status == 2
    told = " ".join(shell.run("admin", "price", "set", "--help").out.split())
    assert "the longest answer in tokens, as a whole number without a unit" in told
    assert shell.run("admin", "price", "set", "TINY", "--input", "0", "--output", "0").status == 1
    assert shell.run("admin", "price", "remove", "tiny").status == 0
    assert shell.run("admin", "price", "remove", "tiny").status == 1


def test_site_switches(shell: Shell) -> None:
    shell.add()
    assert json.loads(shell.run("admin", "site", "show", "--json").out)["passkeys.enabled"] is False
    assert shell.run("admin", "site", "set", "passkeys.enabled", "on").status == 0
    assert shell.run("admin", "site", "set", "sidebar.hidden_modules", "playground, wallet").status == 0
    shown = json.loads(shell.run("admin", "site", "show", "--json").out)
    assert shown["passkeys.enabled"] is True
    assert shown["sidebar.hidden_modules"] == ["playground", "wallet"]
    assert "sidebar.hidden_modules = playground, wallet" in shell.run("admin", "site", "show").out
    assert shell.run("admin", "site", "unset", "passkeys.enabled").status == 0
    assert "passkeys.enabled = false" in shell.run("admin", "site", "show").out


def test_a_site_secret_comes_from_standard_input_and_is_never_shown(shell: Shell) -> None:
    shell.add()
    refused = shell.run("admin", "site", "set", "smtp.password", "hunter2")
    assert refused.status == 1
    assert "--value-stdin" in refused.err
    said = shell.run("admin", "site", "set", "smtp.password", "--value-stdin", stdin="hunter2\n")
    assert said.status == 0
    shown = shell.run("admin", "site", "show", "--json")
    assert json.loads(shown.out)["smtp.password"]["is_set"] is True
    unset = shell.run("admin", "site", "unset", "smtp.password")
    assert unset.status == 0
    text = shell.run("admin", "site", "show")
    assert "smtp.password = not set" in text.out
    for ran in (refused, said, shown, unset, text):
        assert "hunter2" not in ran.out + ran.err


def test_providers(shell: Shell) -> None:
    shell.add()
    add = ("admin", "provider", "add")
    added = shell.run(
        *add,
        *("forge", "--name", "Forge", "--issuer", "https://id.example.com/", "--client-id", "gk"),
        "--client-secret-stdin",
        stdin="s3cret-of-forge\n",
    )
    assert added.status == 0
    assert "account_binding.enabled" in added.err
    assert shell.run("admin", "site", "set", "account_binding.enabled", "true").status == 0
    hub = shell.run(*add, "hub", "--name", "GitHub", "--github", "--client-id", "abc")
    assert hub.status == 0
    assert "account_binding" not in hub.err
    listed = shell.run("admin", "provider", "list", "--json")
    assert "s3cret" not in listed.out
    assert [(row["slug"], row["kind"], row["issuer"]) for row in json.loads(listed.out)] == [
        ("forge", "oidc", "https://id.example.com"),
        ("hub", "github", ""),
    ]
    assert "Forge" in shell.run("admin", "provider", "list").out
    with opened(shell) as store:
        assert store.bindings.provider("forge").client_secret == "s3cret-of-forge"
    assert shell.run("admin", "provider", "remove", "forge").status == 0
    assert shell.run("admin", "provider", "remove", "forge").status == 1


def test_verify_audit_names_the_first_event_that_does_not_fit(shell: Shell) -> None:
    shell.add("alice", "--quota", "5")
    shell.add("bob")
    for _ in range(3):
        shell.run("admin", "quota", "alice", "+1")
    assert shell.run("admin", "verify-audit").out == "alice  ok\nbob  ok\nthe site  ok\nall together  ok\n"
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("UPDATE audit_events SET actor = 'nobody' WHERE sequence = 3")
        connection.commit()
    broken = shell.run("admin", "verify-audit")
    assert broken.status == 1
    assert broken.out.splitlines()[0] == "alice  fail: event 3 does not fit"
    assert shell.run("admin", "verify-audit", "bob").status == 0


def _make_old(shell: Shell) -> None:
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("DROP TABLE alembic_version")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if not name.startswith("sqlite_"):
                connection.execute(f'DROP TABLE "{name}"')
        connection.commit()


def test_upgrade_copies_first_and_says_where(shell: Shell, tmp_path: Path) -> None:
    shell.add()
    assert "already" in shell.run("admin", "upgrade").err
    _make_old(shell)
    refused = shell.run("admin", "user", "list")
    assert refused.status == 1
    assert "gatekey admin upgrade" in refused.err
    ran = shell.run("admin", "upgrade")
    assert ran.status == 0, ran.err
    copy = Path(ran.out.strip())
    assert copy.parent == shell.folder
    assert copy.stat().st_mode & 0o777 == 0o600
    assert shell.run("admin", "user", "list").status == 0

    _make_old(shell)
    elsewhere = tmp_path / "copies"
    elsewhere.mkdir()
    assert Path(shell.run("admin", "upgrade", "--backup-to", str(elsewhere)).out.strip()).parent == elsewhere

    _make_old(shell)
    before = set(shell.folder.iterdir())
    assert shell.run("admin", "upgrade", "--without-backup").status == 0
    assert {path for path in set(shell.folder.iterdir()) - before if "backup" in path.name} == set()


def test_no_upgrade_without_its_backup(shell: Shell, tmp_path: Path) -> None:
    shell.add()
    _make_old(shell)
    before = shell.fingerprint()
    ran = shell.run("admin", "upgrade", "--backup-to", str(tmp_path / "no" / "folder"))
    assert ran.status == 1
    assert shell.fingerprint() == before


def test_a_database_that_cannot_be_copied_is_upgraded_only_on_demand(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.add()
    _make_old(shell)
    monkeypatch.setattr(schema, "back_up", lambda *_: None)
    before = shell.fingerprint()
    ran = shell.run("admin", "upgrade")
    assert ran.status == 2
    assert "pg_dump" in ran.err
    assert shell.fingerprint() == before
    assert admin_upgrade.DESCRIPTION.count("--without-backup") == 1


@pytest.mark.parametrize("off", [(), ("--no-files",)])
def test_export_prints_everything_about_an_account(shell: Shell, off: tuple[str, ...]) -> None:
    shell.add()
    ran = shell.run("admin", "user", "export", "alice", *off)
    assert (ran.status, ran.err) == (0, "")
    document = json.loads(ran.out)
    assert document["format"] == "gatekey-export"
    assert [row["name"] for row in document["accounts"]] == ["alice"]
    assert shell.run("admin", "user", "export", "nobody").status == 1
