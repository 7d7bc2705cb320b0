"""An account of another gateway, written into one of this store: all of it at once, each part told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from store.audit import Audit
from store.errors import DatabaseRefused, NoSuchAccount
from store.sections import Channel, NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from store.store import Store
from store.values.account_import import Fate, ForeignAccount, ForeignKey, ForeignPrice, ImportReport
from store.values.api_keys import ApiKeyLimits
from store.values.billing import ModelPrice
from tests.harness.people import Person, contents, tags
from tests.harness.stores import StillClock

FOREIGN: Final = ForeignAccount(
    name="Alice",
    email="alice@example.org",
    threshold_micro_usd=2_500_000,
    channel=Channel.WEBHOOK,
    channel_fields={"webhook_url": "https://hooks.example.com/a", "webhook_secret": "plain"},
    accept_unpriced_models=True,
    record_client_ip=True,
    hidden_modules=frozenset({"playground"}),
    keys=(ForeignKey("laptop", ApiKeyLimits(spend_limit_micro_usd=3_000_000, allowed_models=("gpt-5",))),),
    left=(),
)


def carry(store: Store, foreign: ForeignAccount = FOREIGN, *, makes_keys: bool = False) -> ImportReport:
    return store.account_import.write("alice", foreign, makes_keys=makes_keys, actor="unix:op")


def fates(report: ImportReport) -> Mapping[str, Fate]:
    return {line.what: line.fate for line in report.lines}


def notifications(store: Store, person: Person) -> NotificationSettings:
    return store.settings.load_for(person.id, NotificationSettings).section


def test_what_can_be_carried_is_stored_and_told(store: Store, alice: Person) -> None:
    report = carry(store)
    assert fates(report) == {
        "name": Fate.SAME,
        "e-mail address": Fate.CARRIED,
        "warning threshold": Fate.CARRIED,
        "warnings by Webhook": Fate.CARRIED,
        "Webhook address": Fate.CARRIED,
        "Webhook secret": Fate.LEFT,
        "models without a price": Fate.CARRIED,
        "recorded addresses": Fate.CARRIED,
        "sidebar": Fate.CARRIED,
        "API key laptop": Fate.LEFT,
    }
    stored = notifications(store, alice)
    assert (stored.threshold_micro_usd, stored.webhook_url) == (2_500_000, "https://hooks.example.com/a")
    assert stored.channels == (Channel.EMAIL, Channel.WEBHOOK), "a channel that is on here stays on"
    assert not stored.webhook_secret.is_set
    assert store.settings.load_for(alice.id, PriceSettings).section == PriceSettings(True)
    assert store.settings.load_for(alice.id, PrivacySettings).section == PrivacySettings(True)
    assert store.settings.load_for(alice.id, SidebarSettings).section.hidden_modules == {"playground"}
    assert store.accounts.get(alice.id).email == "alice@example.org"
    assert "account:email-changed" in tags(store, alice.id)


def test_a_second_import_finds_everything_the_same(store: Store, alice: Person) -> None:
    carry(store, makes_keys=True)
    before = contents(store)
    again = carry(store, makes_keys=True)
    assert set(fates(again).values()) == {Fate.SAME, Fate.LEFT}
    assert fates(again)["Webhook secret"] is Fate.LEFT
    assert again.made == ()
    assert contents(store) == before


def test_a_key_is_made_only_if_asked_for_and_shown_once(store: Store, alice: Person) -> None:
    assert carry(store).made == ()
    (made,) = carry(store, makes_keys=True).made
    assert made.key not in repr(made)
    (key,) = store.api_keys.list(alice.token)
    assert (key.name, key.last_four) == ("laptop", made.key[-4:])
    assert key.limits == FOREIGN.keys[0].limits


@pytest.mark.parametrize(
    "key",
    [
        ForeignKey("off", ApiKeyLimits(), "It is disabled there."),
        ForeignKey("old", ApiKeyLimits(expires_at=StillClock().now() - timedelta(days=1))),
        ForeignKey("odd", ApiKeyLimits(allowed_networks=("everywhere",))),
        ForeignKey("n" * 65, ApiKeyLimits()),
    ],
    ids=lambda key: key.name[:3],
)
def test_a_key_that_cannot_be_made_is_left_out_and_the_rest_goes_on(
    store: Store, alice: Person, key: ForeignKey
) -> None:
    report = carry(store, replace(FOREIGN, keys=(key, *FOREIGN.keys)), makes_keys=True)
    assert fates(report)[f"API key {key.name}"] is Fate.LEFT
    assert [made.name for made in report.made] == ["laptop"]


@pytest.mark.parametrize(
    ("channel", "fields", "left"),
    [
        (Channel.WEBHOOK, {"webhook_url": "http://127.0.0.1:9/x"}, {"Webhook address", "warnings by Webhook"}),
        (Channel.EMAIL, {"email_address": "a@example.com;b@example.com"}, {"Notification email"}),
        (Channel.GOTIFY, {"gotify_url": "https://g.example.com", "gotify_token": ""}, {"warnings by Gotify"}),
        (Channel.BARK, {"bark_url": "https://api.day.app/"}, {"Bark address", "warnings by Bark"}),
    ],
)
def test_a_field_that_is_refused_here_is_left_out(
    store: Store, alice: Person, channel: Channel, fields: dict[str, str | int], left: set[str]
) -> None:
    report = carry(store, replace(FOREIGN, channel=channel, channel_fields=fields, keys=()))
    assert {what for what, fate in fates(report).items() if fate is Fate.LEFT} == left
    assert notifications(store, alice).is_on(channel) is (channel is Channel.EMAIL)
    assert notifications(store, alice).threshold_micro_usd == 2_500_000


def test_secrets_are_kept_sealed_and_never_told(store: Store, alice: Person) -> None:
    fields: dict[str, str | int] = {
        "gotify_url": "https://g.example.com",
        "gotify_token": "AbCdEfGhIjKlMnOpQr",
        "gotify_priority": 8,
    }
    foreign = replace(FOREIGN, channel=Channel.GOTIFY, channel_fields=fields)
    report = carry(store, foreign)
    assert "AbCdEfGhIjKl" not in f"{report}{foreign}{contents(store)}"
    with store.database.read() as tx:
        assert store.settings.secret(tx, alice.id, "gotify_token") == "AbCdEfGhIjKlMnOpQr"
    assert notifications(store, alice).gotify_priority == 8
    assert fates(carry(store, foreign))["Gotify token"] is Fate.SAME


def test_what_was_never_chosen_there_stays_as_it_is_here(store: Store, alice: Person) -> None:
    before = notifications(store, alice)
    report = carry(store, replace(FOREIGN, name="bob", email="", threshold_micro_usd=None, channel=None))
    told = {line.what: line.detail for line in report.lines if line.fate is Fate.LEFT}
    assert told["warning threshold"] == "None was chosen there."
    assert "It is bob there." in told["name"]
    assert told["e-mail address"] == "There is none."
    assert notifications(store, alice) == before


def test_prices_are_set_where_none_was_chosen(store: Store, alice: Person) -> None:
    store.pricing.set(ModelPrice("chosen", 5, 6), actor="unix:admin")
    store.pricing.set(ModelPrice("same", 1, 2), actor="unix:admin")
    told = ModelPrice("told", 2_000_000, 8_000_000, per_request=10, cached_input_per_million=500_000)
    prices = (
        ForeignPrice("Chosen", ModelPrice("Chosen", 1, 2)),
        ForeignPrice("same", ModelPrice("same", 1, 2, cached_input_per_million=1)),
        ForeignPrice("told", told, "at 0.5 of the list"),
        ForeignPrice("dear", ModelPrice("dear", 1, 2, cached_input_per_million=3)),
        ForeignPrice("none", None, "The server names no price for it."),
        ForeignPrice("each", ModelPrice("each", 0, 0, per_request=40_000)),
    )
    report = carry(store, replace(FOREIGN, prices=prices))
    lines = {line.what.removeprefix("price of "): (line.fate, line.detail) for line in report.lines}
    assert lines["told"] == (
        Fate.CARRIED,
        "$2.00 in, $0.50 cached, $8.00 out per million tokens, $0.00001 a request, at 0.5 of the list",
    )
    assert lines["each"] == (Fate.CARRIED, "$0.04 a request")
    assert lines["same"][0] == Fate.SAME
    assert lines["Chosen"] == (
        Fate.LEFT,
        "$0.000001 in, $0.000002 out per million tokens there. chosen has another price here, which stays.",
    )
    assert lines["dear"] == (Fate.LEFT, "Cached input costs no more than other input.")
    assert lines["none"] == (Fate.LEFT, "The server names no price for it.")
    assert store.pricing.find("told") == told
    assert [price.model for price in store.pricing.all()] == ["chosen", "each", "same", "told"]
    again = carry(store, replace(FOREIGN, prices=prices))
    assert fates(again)["price of told"] == fates(again)["price of each"] == Fate.SAME


def test_a_preview_tells_the_same_and_leaves_everything_as_it_was(store: Store, alice: Person) -> None:
    foreign = replace(FOREIGN, prices=(ForeignPrice("told", ModelPrice("told", 1, 2)),))
    before = contents(store)
    preview = store.account_import.preview("alice", foreign, makes_keys=True, actor="unix:op")
    assert contents(store) == before
    assert preview.made == ()
    assert fates(preview)["price of told"] == fates(preview)["API key laptop"] == Fate.CARRIED
    written = carry(store, foreign, makes_keys=True)
    assert preview.lines == written.lines
    assert contents(store) != before


def test_it_is_written_whole_or_not_at_all(store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(store)
    record = Audit.record_by

    def full(self: Audit, *_: object, **__: object) -> None:
        raise DatabaseRefused

    monkeypatch.setattr(Audit, "record_by", full)  # the last act is a key
    with pytest.raises(DatabaseRefused):
        carry(store, makes_keys=True)
    monkeypatch.setattr(Audit, "record_by", record)
    assert contents(store) == before


def test_it_needs_an_account(store: Store) -> None:
    with pytest.raises(NoSuchAccount):
        carry(store)
