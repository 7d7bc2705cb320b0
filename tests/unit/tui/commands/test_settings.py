"""Every setting of the page, without the page."""

import base64
import json

import pytest
from sqlalchemy import select

from store.models import Quota
from store.sections import NotificationSettings, PrivacySettings
from store.settings import Settings
from store.store import Store
from store.values.sections import Saved
from tests.harness.command_line import Shell
from tests.harness.quota_calls import spend_quota
from tui.commands.settings_fields import FIELDS
from tui.store_location import Options, open_account_store

WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
VALUES = [
    ("notifications.threshold", "2.50", "2.50"),
    ("notifications.threshold", "$0", "0.00"),
    ("notifications.email_on", "off", False),
    ("notifications.email_address", "Else@example.com", "Else@example.com"),
    ("notifications.email_address", "", ""),
    ("notifications.webhook_url", "https://hooks.example.com/x", "https://hooks.example.com/x"),
    ("notifications.gotify_url", "https://push.example.com", "https://push.example.com"),
    ("notifications.gotify_priority", "10", 10),
    ("price.accept_unpriced_models", "yes", True),
    ("privacy.record_client_ip", "TRUE", True),
    ("sidebar.hidden_modules", "wallet,playground", ["playground", "wallet"]),
    ("sidebar.hidden_modules", "", []),
]
SECRETS = [
    ("notifications.webhook_secret", WHSEC),
    ("notifications.bark_url", "https://api.day.app/abcdefghijk"),
    ("notifications.bark_encryption_key", "0123456789abcdef"),
    ("notifications.gotify_token", "AbCdEf0123456789xyz"),
]


def show(shell: Shell, name: str = "alice") -> dict[str, dict[str, object]]:
    ran = shell.run("settings", "--user", name, "show", "--json")
    assert ran.status == 0, ran.err
    shown: dict[str, dict[str, object]] = json.loads(ran.out)
    return shown


@pytest.mark.parametrize(("name", "typed", "shown"), VALUES)
def test_what_is_set_is_shown(shell: Shell, name: str, typed: str, shown: object) -> None:
    shell.add()
    section, _, field = name.partition(".")
    before = show(shell)
    ran = shell.run("settings", "--user", "alice", "set", name, typed)
    assert ran.status == 0, ran.err
    assert ran.out == ""
    after = show(shell)
    assert after[section][field] == shown
    assert after[section]["version"] == 2
    for other in {"notifications", "price", "privacy", "sidebar"} - {section}:
        assert after[other] == before[other]


@pytest.mark.parametrize(("name", "secret"), SECRETS)
def test_a_secret_is_read_from_standard_input_kept_and_cleared(shell: Shell, name: str, secret: str) -> None:
    shell.add()
    section, _, field = name.partition(".")
    refused = shell.run("settings", "--user", "alice", "set", name, secret)
    assert refused.status == 1
    assert "standard input" in refused.err
    empty = shell.run("settings", "--user", "alice", "set", name, "--value-stdin", stdin="\n")
    assert empty.status == 1
    kept = shell.run("settings", "--user", "alice", "set", name, "--value-stdin", stdin=f"{secret}\n")
    assert kept.status == 0, kept.err
    assert show(shell)[section][field] == {"is_set": True, "hint": _hint(shell, field)}
    with open_account_store(Options(), create=False) as store, store.database.read() as tx:
        assert store.settings.secret(tx, store.accounts.find("alice").id, field) == secret
    listed = shell.run("settings", "--user", "alice", "show")
    assert f"{name} = set (" in listed.out
    for ran in (refused, empty, kept, listed):
        assert secret not in ran.out + ran.err
    assert shell.run("settings", "--user", "alice", "set", name, "").status == 0
    assert show(shell)[section][field] == {"is_set": False, "hint": ""}


def _hint(shell: Shell, field: str) -> str:
    with open_account_store(Options(), create=False) as store:
        saved = store.settings.load_for(store.accounts.find("alice").id, NotificationSettings)
    hint: str = getattr(saved.section, field).hint
    assert hint
    return hint


def test_every_field_of_the_sections_can_be_shown_and_set(shell: Shell) -> None:
    shell.add()
    kinds = {field.kind for field in FIELDS.values()}
    assert {(field.kind, field.setting.name) for field in FIELDS.values()} == {
        (kind, attribute) for kind in kinds for attribute in kind.__dataclass_fields__
    }
    lines = shell.run("settings", "--user", "alice", "show").out.splitlines()
    assert [line.partition(" =")[0] for line in lines] == list(FIELDS)
    assert {name for name, *_ in VALUES} | {name for name, _ in SECRETS} | {
        "notifications.webhook_on",
        "notifications.bark_on",
        "notifications.gotify_on",
    } == set(FIELDS)


def test_help_lists_every_field(shell: Shell) -> None:
    ran = shell.run("settings", "set", "--help")
    assert ran.status == 0
    for name in FIELDS:
        assert name in ran.out
    assert "--value-stdin" in ran.out


def test_the_user_may_be_named_after_the_action(shell: Shell) -> None:
    shell.add()
    shell.add("bob")
    assert shell.run("settings", "set", "privacy.record_client_ip", "on", "--user", "BOB").status == 0
    assert show(shell, "bob")["privacy"]["record_client_ip"] is True
    assert show(shell, "alice")["privacy"]["record_client_ip"] is False


def test_a_change_is_recorded_with_its_author(shell: Shell) -> None:
    shell.add()
    shell.run("settings", "--user", "alice", "set", "privacy.record_client_ip", "on")
    with open_account_store(Options(), create=False) as store, store.database.read() as tx:
        event = store.audit.page(tx, store.accounts.find("alice").id, limit=1)[0]
    assert event.tag == "settings:saved"
    assert event.actor.startswith("unix:")
    assert event.source == "command line"
    assert event.detail["section"] == "privacy"


def test_a_higher_threshold_arms_the_warning_again(shell: Shell) -> None:
    shell.add("alice", "--quota", "5")
    with open_account_store(Options(), create=False) as store:
        spend_quota(store, store.accounts.find("alice").id, 4_500_000)
        assert not _is_armed(store)
    assert shell.run("settings", "--user", "alice", "set", "notifications.threshold", "2").status == 0
    with open_account_store(Options(), create=False) as store:
        assert _is_armed(store)


def _is_armed(store: Store) -> bool:
    with store.database.read() as tx:
        return tx.execute(select(Quota.c.warning_armed)).scalar_one()


def test_an_edit_made_meanwhile_is_not_overwritten(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    load_for = Settings.load_for

    def load_and_dawdle(settings: Settings, account_id: int, kind: type[PrivacySettings]) -> Saved[PrivacySettings]:
        loaded = load_for(settings, account_id, kind)
        settings.save_for(account_id, PrivacySettings(record_client_ip=True), loaded.version, actor="someone else")
        return loaded

    with monkeypatch.context() as patch:
        patch.setattr(Settings, "load_for", load_and_dawdle)
        ran = shell.run("settings", "--user", "alice", "set", "privacy.record_client_ip", "false")
    assert ran.status == 1
    assert "Nothing was overwritten" in ran.err
    assert show(shell)["privacy"] == {"version": 2, "record_client_ip": True, "overridden": []}


def test_a_notification_address_is_confirmed_by_a_code(shell: Shell) -> None:
    shell.add()
    saved = shell.run("settings", "--user", "alice", "set", "notifications.email_address", "pager@example.com")
    assert "confirm-email" in saved.err
    sent = shell.run("settings", "--user", "alice", "confirm-email")
    assert (sent.status, sent.out) == (0, "")
    assert "pager@example.com" in sent.err
    wrong = shell.run("settings", "--user", "alice", "confirm-email", "nonsense")
    assert wrong.status == 1
    with open_account_store(Options(), create=False) as store:
        (job,) = store.outbox.lease()
    right = shell.run("settings", "--user", "alice", "confirm-email", str(job.payload["code"]))
    assert right.err == "Confirmed: warnings of alice go to pager@example.com.\n"
    again = shell.run("settings", "--user", "alice", "confirm-email")
    assert (again.status, "confirmed already" in again.err) == (1, True)
    back = shell.run("settings", "--user", "alice", "set", "notifications.email_address", "")
    assert "confirm-email" not in back.err


def test_a_setting_that_the_site_overrides_is_told(shell: Shell) -> None:
    shell.add()
    assert show(shell)["price"]["overridden"] == []
    assert shell.run("admin", "site", "set", "price.unpriced", "forbid").status == 0
    assert shell.run("admin", "site", "set", "sidebar.hidden_modules", "task-logs,wallet,settings").status == 0
    price = "price.accept_unpriced_models has no effect: the administrator of this site refuses models without a price."
    hidden = "the administrator of this site hides from everyone: task-logs, wallet."
    sidebar = f"sidebar.hidden_modules only adds to what {hidden}"
    shown = show(shell)
    assert (shown["price"]["overridden"], shown["sidebar"]["overridden"]) == (
        ["accept_unpriced_models"],
        ["hidden_modules"],
    )
    assert (shown["notifications"]["overridden"], shown["privacy"]["overridden"]) == ([], [])
    told = shell.run("settings", "--user", "alice", "show")
    assert told.err.splitlines() == [price, sidebar]
    assert "price.accept_unpriced_models = false" in told.out
    changed = shell.run("settings", "--user", "alice", "set", "price.accept_unpriced_models", "on")
    assert (changed.status, changed.err.splitlines()[1:]) == (0, [price])
    other = shell.run("settings", "--user", "alice", "set", "privacy.record_client_ip", "on")
    assert (other.status, len(other.err.splitlines())) == (0, 1)
