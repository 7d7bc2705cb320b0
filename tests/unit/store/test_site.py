"""The administrator's switches: every name with good and bad values, and safe where one cannot be read."""

import json
from typing import Any

import pytest
from sqlalchemy import event, update

from store.errors import InvalidSetting, KeyWrong, UnknownSetting
from store.models import SiteSetting
from store.modules import MODULES, SECTIONS
from store.site import SiteEntry
from store.site_switches import SWITCHES, Value
from store.store import Store
from tests.harness.fixtures import in_memory
from tests.harness.people import contents

GOOD: dict[str, list[tuple[str, Value]]] = {
    "account_binding.enabled": [("true", True), ("ON", True), ("yes", True), ("false", False), ("off", False)],
    "passkeys.enabled": [("true", True), (" no ", False)],
    "passkeys.rp_id": [
        ("gateway.example.com", "gateway.example.com"),
        ("LOCALHOST", "localhost"),
        ("Bücher.example", "xn--bcher-kva.example"),
    ],
    "passkeys.origin": [
        ("https://gateway.example.com", "https://gateway.example.com"),
        ("https://Gateway.example.com/", "https://gateway.example.com"),
        ("http://localhost:8787", "http://localhost:8787"),
    ],
    "public_url": [
        ("https://gateway.example.com/", "https://gateway.example.com"),
        ("http://Gateway.lan:8787", "http://gateway.lan:8787"),
    ],
    "smtp.host": [("mail.example.com", "mail.example.com"), ("10.0.0.5", "10.0.0.5"), ("::1", "::1")],
    "smtp.port": [("1", 1), ("465", 465), ("65535", 65535)],
    "smtp.security": [("starttls", "starttls"), ("tls", "tls")],
    "smtp.username": [("gatekey", "gatekey"), (" padded ", "padded"), ("", "")],
    "smtp.password": [("pass word", "pass word")],
    "smtp.sender": [("gatekey@example.com", "gatekey@example.com")],
    "upstream.base_url": [("https://models.example.com/v1", "https://models.example.com/v1")],
    "upstream.api_key": [("sk-planted", "sk-planted")],
    "upstream.output_limit": [(word, word) for word in ("max_tokens", "max_completion_tokens", "ignored")],
    "price.max_output_tokens": [("1", 1), ("64000", 64_000), ("10000000", 10_000_000)],
    "price.unpriced": [("account", "account"), ("forbid", "forbid")],
    "price.unpriced_rate": [("2.5/10", "2.50/10.00"), ("0/0.000001", "0.00/0.000001"), ("$1 / $2", "1.00/2.00")],
    "relay.extra_fields": [("top_a, vllm_xargs", ("top_a", "vllm_xargs")), ("topK", ("topK",)), ("", ())],
    "relay.keep_alive_seconds": [("0", 0), ("15", 15), ("300", 300)],
    "sidebar.hidden_modules": [("wallet, playground", ("wallet", "playground")), ("", ()), (" , ", ())],
    "channels.private_network_allow": [
        ("gotify.lan:8080, 10.0.0.5:443", ("gotify.lan:8080", "10.0.0.5:443")),
        ("[FD00::1]:80", ("[fd00::1]:80",)),
    ],
    "gateway.trusted_proxies": [("10.0.0.0/8, ::1", ("10.0.0.0/8", "::1/128")), ("127.0.0.1", ("127.0.0.1/32",))],
    "limits.connections": [("0", 0), ("100000", 100_000)],
    "limits.connections_per_client": [("0", 0), ("50", 50)],
    "ssh.sign_in_screen": [("off", False), ("true", True)],
    "ssh.address": [("Gate.example.com:2222", "gate.example.com:2222"), ("[2001:db8::7]:22", "[2001:db8::7]:22")],
    "ssh.connections": [("1", 1), ("10000", 10_000)],
    "ssh.connections_per_client": [("0", 0), ("50", 50)],
    "limits.requests_per_minute_per_key": [("0", 0), ("600", 600)],
    "limits.requests_per_minute_per_account": [("0", 0), ("100000", 100_000)],
    "limits.body_mib_per_account": [("32", 32), ("4096", 4096)],
    "limits.body_mib": [("32", 32), ("65536", 65_536)],
    "limits.file_mib": [("1", 1), ("512", 512)],
    "usage.retention_days": [("0", 0), ("3650", 3650)],
    "two_factor.drift_steps": [("0", 0), ("1", 1)],
    "password.minimum_without_second_factor": [("8", 8), ("15", 15), ("64", 64)],
}
BAD: dict[str, list[str]] = {
    "account_binding.enabled": ["", "1", "maybe", "true false", "ｔrue"],
    "passkeys.enabled": ["", "0", "enabled"],
    "passkeys.rp_id": ["", "https://example.com", "two words", "-x.example", "a..b", "x" * 300, "ex\u202eample"],
    "passkeys.origin": [
        "example.com",
        "https://example.com/path",
        "https://example.com?",
        "https://example.com?x=1",
        "ftp://x",
        "https://u:p@example.com",
        "https://example.com#f",
    ],
    "public_url": [
        "https://example.com/base",
        "https://example.com?",
        "",
        "example.com",
        "https://",
        "javascript:alert(1)",
        "https://exa mple.com",
        "https://x:99999",
    ],
    "smtp.host": ["", "mail example", "mail\n.example", "http://mail"],
    "smtp.port": ["", "0", "65536", "-1", "+25", "2 5", "٢٥", "1e2", "587.0"],
    "smtp.security": ["", "none", "STARTTLS ", "ssl"],
    "smtp.username": ["bad\nname", "bad\x1b[m", "x" * 1001, "\ud800"],
    "smtp.password": ["bad\x00", "\u202e", "\ud800"],
    "smtp.sender": ["", "nobody", "a@b, c@d", "Name <a@b.example>"],
    "upstream.base_url": [
        "",
        "models",
        "file:///etc/passwd",
        "https://models.example.com/v1?api-version=1",
        "https://models.example.com/v1?",
        "https://models.example.com/v1#x",
        "https://models.example.com/v1#",
    ],
    "upstream.output_limit": ["", "n_predict", "Ignored"],
    "price.max_output_tokens": ["0", "10000001", "-1", "", "64k"],
    "price.unpriced": ["", "allow", "true"],
    "price.unpriced_rate": ["", "2.50", "2.50/", "/", "1/2/3", "-1/2", "1e3/2", "1,5/2", "0.0000001/1"],
    "relay.keep_alive_seconds": ["", "-1", "301", "15s", "1.5"],
    "relay.extra_fields": [
        "service_tier",
        "top_a, service_tier",
        "Service_Tier",
        "web_search_options",
        "user_config",
        "deployment_id",
        "context_window_fallback_dict",
        "default_fallbacks",
        "mock_testing_anything",
        "input_cost_per_token",
        "api_base",
        "aws_region_name",
        "litellm_params",
        "preset",
        "Provider",
        "models",
        "route",
        "transforms",
        "plugins",
        "extra_body",
        "n_predict",
        "Max_Tokens",
        "tools",
        "two words",
        "ſervice_tier",
        "a" * 65,
    ],
    "upstream.api_key": ["", "with space", "tab\t", "é", "x" * 501, "\ud800"],
    "sidebar.hidden_modules": ["unknown", "wallet playground", "Wallet"],
    "channels.private_network_allow": [
        "host",
        "host:0",
        "host:99999",
        "host:x",
        ":80",
        "user@host:80",
        "http://host:80",
        "host:80/path",
        "::1:80",
        "[::1:80",
        "host:080",
        "a b:80",
    ],
    "gateway.trusted_proxies": ["everyone", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0-10.0.0.9"],
    "limits.connections": ["100001", "-1", "many", ""],
    "limits.connections_per_client": ["100001", "-1", "1.5"],
    "ssh.sign_in_screen": ["", "1", "key"],
    "ssh.address": [
        "gate.example.com",
        "gate.example.com:0",
        "gate.example.com:x",
        "ssh://gate.example.com:22",
        "a b:22",
    ],
    "ssh.connections": ["0", "10001", "-1"],
    "ssh.connections_per_client": ["10001", "-1", "some"],
    "limits.requests_per_minute_per_key": ["-1", "100001"],
    "limits.requests_per_minute_per_account": ["-1", "100001"],
    "limits.body_mib_per_account": ["31", "4097", "64 MiB"],
    "limits.body_mib": ["31", "65537"],
    "limits.file_mib": ["0", "513", "100 MiB"],
    "usage.retention_days": ["-1", "3651", "a year"],
    "two_factor.drift_steps": ["2", "-1", "", "one", "0x1"],
    "password.minimum_without_second_factor": ["7", "65", "-15", "", "many", "1.5e1"],
}


def test_every_switch_is_tried_with_good_and_bad_values() -> None:
    assert set(GOOD) == set(BAD) == set(SWITCHES)


@in_memory
@pytest.mark.parametrize("name", SWITCHES)
def test_a_good_value_is_stored_and_taken_back(store: Store, name: str) -> None:
    default = SWITCHES[name].default
    assert store.site.get(name) == default
    for typed, value in GOOD[name]:
        assert store.site.set(name, typed) == value
        assert store.site.get(name) == value
    assert next(entry for entry in store.site.show() if entry.name == name).is_set
    store.site.unset(name)
    store.site.unset(name)
    assert store.site.get(name) == default
    assert contents(store)["site_settings"] == []


@pytest.mark.parametrize(("name", "typed"), [(name, typed) for name, values in BAD.items() for typed in values])
def test_a_bad_value_changes_nothing(memory_store: Store, name: str, typed: str) -> None:
    memory_store.site.set(name, GOOD[name][0][0])
    before = contents(memory_store)
    with pytest.raises(InvalidSetting) as caught:
        memory_store.site.set(name, typed)
    assert caught.value.field == name
    assert SWITCHES[name].expects in str(caught.value)
    assert contents(memory_store) == before


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("passkey.enabled", "Did you mean passkeys.enabled?"),
        ("smtp.pasword", "Did you mean smtp.password?"),
        ("zzz", "There is no setting called zzz."),
        ("red\x1b[31m", "There is no setting called red\ufffd[31m."),
    ],
)
def test_an_unknown_name_gets_a_hint(memory_store: Store, name: str, hint: str) -> None:
    for act in (lambda: memory_store.site.set(name, "true"), lambda: memory_store.site.unset(name)):
        with pytest.raises(UnknownSetting) as caught:
            act()
        assert str(caught.value).endswith(hint)


def test_a_list_shows_every_switch_and_no_secret(store: Store) -> None:
    store.site.set("smtp.password", "planted-password")
    store.site.set("upstream.api_key", "planted-key")
    shown = store.site.show()
    assert [entry.name for entry in shown] == list(SWITCHES)
    by_name = {entry.name: entry for entry in shown}
    assert by_name["smtp.password"] == SiteEntry("smtp.password", "", is_set=True, is_secret=True)
    assert by_name["smtp.port"] == SiteEntry("smtp.port", 587, is_set=False, is_secret=False)
    assert "planted" not in repr(shown)
    assert "planted" not in repr(contents(store))
    assert (store.site.text("smtp.password"), store.site.text("upstream.api_key")) == (
        "planted-password",
        "planted-key",
    )


def test_a_moved_secret_does_not_open(store: Store) -> None:
    store.site.set("smtp.password", "planted-password")
    with store.database.write() as tx:
        tx.execute(update(SiteSetting).values(name="upstream.api_key"))
    with pytest.raises(KeyWrong):
        store.site.text("upstream.api_key")


@in_memory
@pytest.mark.parametrize("broken", ["", "{", "null", "1", '"true"', "[]", "{}", "NaN", "1e999", "[1, {}]"])
def test_a_switch_that_cannot_be_read_is_off(store: Store, broken: str) -> None:
    store.site.set("passkeys.enabled", "true")
    assert store.site.flag("passkeys.enabled")
    with store.database.write() as tx:
        tx.execute(update(SiteSetting).values(value=broken))
    assert not store.site.flag("passkeys.enabled")
    with store.database.read() as tx:
        assert not store.site.flag_in(tx, "passkeys.enabled")


@in_memory
@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("smtp.port", '"25"'),
        ("smtp.host", "25"),
        ("sidebar.hidden_modules", '"wallet"'),
        ("two_factor.drift_steps", "true"),
    ],
)
def test_a_value_of_another_kind_is_the_default(store: Store, name: str, broken: str) -> None:
    store.site.set(name, GOOD[name][0][0])
    with store.database.write() as tx:
        tx.execute(update(SiteSetting).values(value=broken))
    assert store.site.get(name) == SWITCHES[name].default


def test_a_value_is_read_as_what_it_is(store: Store) -> None:
    store.site.set("smtp.port", "25")
    store.site.set("smtp.host", "mail.example.com")
    store.site.set("sidebar.hidden_modules", "wallet")
    asked: list[Any] = [
        (store.site.number("smtp.port"), store.site.number("smtp.host")),
        (store.site.text("smtp.host"), store.site.text("smtp.port")),
        (store.site.items("sidebar.hidden_modules"), store.site.items("smtp.port")),
        (store.site.flag("smtp.port"), store.site.flag("passkeys.enabled")),
    ]
    assert asked == [(25, 0), ("mail.example.com", ""), (("wallet",), ()), (False, False)]


def test_a_change_is_seen_at_once_by_everyone(file_url: str) -> None:
    from tests.harness.stores import make_store

    with make_store(file_url) as here, make_store(file_url) as there:
        stale = 0
        for round_ in range(50):
            here.site.set("passkeys.enabled", "true" if round_ % 2 else "false")
            stale += there.site.flag("passkeys.enabled") is not bool(round_ % 2)
    print(f"decisions by a stale switch: {stale} of 50")
    assert stale == 0


def test_the_safe_defaults() -> None:
    assert SWITCHES["account_binding.enabled"].default is SWITCHES["passkeys.enabled"].default is False
    assert SWITCHES["channels.private_network_allow"].default == SWITCHES["gateway.trusted_proxies"].default == ()
    assert json.dumps([switch.default for switch in SWITCHES.values()])


def test_the_sidebar_has_eight_modules() -> None:
    assert MODULES == (
        "playground",
        "overview",
        "api-keys",
        "usage-logs",
        "drawing-logs",
        "task-logs",
        "wallet",
        "settings",
    )
    assert [section.label for section in SECTIONS] == ["Chat Area", "Dashboard Area", "Personal Center Area"]


def test_values_that_belong_together_are_read_in_one_query(store: Store) -> None:
    """A new key of the model server must not be sent to the server before it."""
    store.site.set("upstream.api_key", "sk-planted")
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(store.database.engine, "after_cursor_execute", note)
    values = store.site.values(["upstream.api_key", "upstream.base_url", "limits.body_mib"])
    assert values == {"upstream.api_key": "sk-planted", "upstream.base_url": "", "limits.body_mib": 256}
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1
