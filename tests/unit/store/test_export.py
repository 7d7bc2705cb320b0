"""The export: everything stored about an account, in one JSON document, and no secret."""

import json
from typing import Any

import pytest
from sqlalchemy import Table, func, select, text, update

from store import models
from store.errors import NoSuchAccount
from store.export import FORMAT, FORMAT_VERSION
from store.export_columns import EXPORTED
from store.models import METADATA
from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.harness.full_account import live, prepare_site
from tests.harness.people import Person, contents, tags
from tests.harness.stores import StillClock

NOT_SHOWN: dict[Table, set[str]] = {
    models.Account: {"password_hash", "auth_epoch", "name_key"},
    models.Session: {"token_hash", "epoch"},
    models.TwoFactor: {"secret_sealed", "last_step"},
    models.BackupCode: {"code_hash"},
    models.AccessToken: {"token_hash", "generation"},
    models.ApiKey: {"key_hash", "previous_key_hash", "minute_started_at", "minute_requests"},
    models.Passkey: {"public_key", "label_key"},
    models.SshKey: {"name_key"},
    models.NotificationSettingsRow: {
        "webhook_secret_sealed",
        "bark_url_sealed",
        "bark_encryption_key_sealed",
        "gotify_token_sealed",
    },
    models.Delivery: {"outbox_id", "lease", "leased_until", "lease_boot", "lease_uptime_ms", "recipient_sealed"},
    models.EmailConfirmation: {"message_id", "expires_at", "tries"},
    models.Binding: {"provider_id"},
    models.Quota: {"ledger_sequence"},
    models.Reservation: {"api_key_id"},
    models.UsageDay: {"first_entry_id", "last_entry_id", "newest_at_ms", "set_back_ms"},
    models.AuditEvent: {"mac"},
    models.DrawerItemRow: {"parts", "key_sealed", "fetch_id", "fetch_until"},
}
"""Secrets, what secrets are checked against, counters that guard them, a second spelling, and bare numbers."""


def document(store: Store, token: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads("".join(store.exports.document(token)))
    return parsed


@pytest.mark.parametrize("table", EXPORTED, ids=lambda table: table.name)
def test_every_column_is_shown_or_is_a_secret(table: Table) -> None:
    columns = {column.name for column in table.c}
    numbers = {"id", "account_id"} - set(EXPORTED[table])
    assert columns - set(EXPORTED[table]) - numbers == NOT_SHOWN.get(table, set())
    assert len(set(EXPORTED[table])) == len(EXPORTED[table])


def test_a_document_holds_every_table_and_row(store: Store, clock: StillClock) -> None:
    prepare_site(store)
    live(store, clock, "bobby", number=2)
    alice = live(store, clock, "alice").person
    shown = document(store, alice.token)
    assert (shown["format"], shown["version"], shown["exported_at"]) == (
        FORMAT,
        FORMAT_VERSION,
        clock.now().isoformat(),
    )
    assert set(shown) - {"format", "version", "exported_at"} == {table.name for table in EXPORTED}
    for table, columns in EXPORTED.items():
        rows = shown[table.name]
        assert rows, table.name
        extra = {"provider"} if table is models.Binding else set()
        assert all(set(row) == set(columns) | extra for row in rows)
    assert len(shown["usage_log"]) == 5
    assert shown["accounts"][0]["name"] == "alice"
    assert shown["bindings"][0]["provider"] == "github"
    assert shown["passkeys"][0]["credential_id"] == "Y3JlZGVudGlhbC0x"
    assert shown["audit_events"][-1]["tag"] == "account:exported"
    assert "bobby" not in json.dumps(shown)
    assert tags(store, alice.id)[-1] == "account:exported"


def test_a_document_holds_no_secret(store: Store, clock: StillClock) -> None:
    prepare_site(store)
    planted = live(store, clock, "alice")
    text = "".join(store.exports.document(planted.person.token))
    found = [secret for secret in planted.secrets if secret in text]
    stored = contents(store)
    sealed = [
        value
        for name, rows in stored.items()
        for row in rows
        for column, value in zip(METADATA.tables[name].columns, row, strict=True)
        if column.name.endswith(("_hash", "_sealed", "mac", "public_key")) and value
    ]
    for value in sealed:
        forms = (value.hex(), value.decode("latin-1")) if isinstance(value, bytes) else (str(value),)
        found += [form for form in forms if form in text]
    print(f"secrets found in an export: {len(found)} of {len(planted.secrets) + len(sealed)} looked for")
    assert found == []
    assert len(sealed) > 25


def test_hostile_text_does_not_break_the_document(store: Store, alice: Person) -> None:
    model = 'quote " brace } \\ newline'
    store.usage.record(alice.id, UsageEntry(Kind.ERROR, model, detail="ünïcode 🔑 </script>"))
    text = "".join(store.exports.document(alice.token))
    logged = json.loads(text)["usage_log"][0]
    assert (logged["model"], logged["detail"]) == (model, "ünïcode 🔑 </script>")
    assert "ünïcode 🔑" in text


def test_a_long_log_comes_in_pieces(store: Store, alice: Person) -> None:
    for _ in range(600):
        store.usage.record(alice.id, UsageEntry(Kind.TASK, "m"))
    pieces = list(store.exports.document(alice.token))
    assert len(pieces) > 600
    assert max(map(len, pieces)) < 2000
    assert len(json.loads("".join(pieces))["usage_log"]) == 600


def test_rows_come_in_their_order_whatever_was_changed_last(store: Store, alice: Person) -> None:
    """PostgreSQL finds a row that was changed after those that were added since, where it uses no index."""
    for _ in range(3):
        store.usage.record(alice.id, UsageEntry(Kind.TASK, "m"))
    with store.database.write() as tx:
        table = models.UsageEntryRow
        first = select(func.min(table.c.id)).scalar_subquery()
        tx.execute(update(table).where(table.c.id == first).values(status="changed"))
        if store.database.is_postgresql:
            name = tx.execute(select(func.current_database())).scalar_one()
            for way in ("indexscan", "indexonlyscan", "bitmapscan"):
                tx.execute(text(f'ALTER DATABASE "{name}" SET enable_{way} TO off'))
    store.database.engine.dispose()
    logged = json.loads("".join(store.exports.document(alice.token)))["usage_log"]
    assert [entry["status"] for entry in logged] == ["changed", "ok", "ok"]


def test_an_administrator_has_the_same_document_in_ascii(store: Store, alice: Person) -> None:
    store.usage.record(alice.id, UsageEntry(Kind.ERROR, "m", detail="ünïcode \x9b 🔑"))
    own = json.loads("".join(store.exports.document(alice.token)))
    text = "".join(store.exports.document_of("ALICE", actor="unix:root", source="command line"))
    given = json.loads(text)
    assert text.isascii()
    (event,) = given["audit_events"][len(own["audit_events"]) :]
    assert (event["tag"], event["actor"]) == ("account:exported", "unix:root")
    assert {name: rows for name, rows in given.items() if name not in ("audit_events", "audit_heads")} == {
        name: rows for name, rows in own.items() if name not in ("audit_events", "audit_heads")
    }
    with pytest.raises(NoSuchAccount):
        list(store.exports.document_of("bob", actor="unix:root", source="command line"))
