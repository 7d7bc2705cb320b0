"""Saving one settings section: only that one, over the version it was read at, and never a secret read back."""

from dataclasses import fields, replace
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from store.errors import (
    DatabaseDamaged,
    DatabaseRefused,
    FreshProofRequired,
    GatekeyError,
    InvalidEmail,
    InvalidMoney,
    InvalidNumber,
    InvalidSecret,
    InvalidSetting,
    InvalidUrl,
    KeyWrong,
)
from store.models import NotificationSettingsRow, PriceSettingsRow, Quota
from store.modules import MODULES
from store.money import MAXIMUM_MICRO_USD
from store.secret_fields import StoredSecret
from store.sections import Channel, NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from store.setting_fields import settings_of
from store.settings import _TABLES
from store.store import Store
from store.token_proofs import Proof
from store.values.sections import Saved, SettingsConflict, rebased
from tests.harness.fixtures import in_memory
from tests.harness.people import Person, contents, tags
from tests.harness.quota_calls import spend_quota
from tests.harness.stores import PASSWORD, StillClock
from tests.unit.store.full_settings import BARK_URL, FULL, GOTIFY_TOKEN, WEBHOOK_SECRET

STORED = replace(
    FULL,
    webhook_secret=StoredSecret(True, "…MQ=="),
    bark_url=StoredSecret(True, "https://api.day.app/…"),
    gotify_token=StoredSecret(True, "…oken"),
)
SECTIONS = (FULL, PriceSettings(True), PrivacySettings(True), SidebarSettings(frozenset({"wallet", "playground"})))
Kind = Any
"""One of the four section classes; the type variable of `load` admits no union."""


def save(store: Store, token: str, section: Kind, version: int) -> Saved[Any]:
    saved: Saved[Any] = store.settings.save(token, section, version)
    return saved


def load(store: Store, token: str, kind: Kind) -> Saved[Any]:
    saved: Saved[Any] = store.settings.load(token, kind)
    return saved


# -- saving -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: type(section).__name__)
def test_a_save_is_what_is_loaded(store: Store, alice: Person, bob: Person, section: Kind) -> None:
    expected = STORED if section is FULL else section
    saved = save(store, alice.token, section, 1)
    assert saved == Saved(expected, 2) == load(store, alice.token, type(section))
    assert load(store, bob.token, type(section)) == Saved(type(section)(), 1)
    assert tags(store, alice.id)[-1] == "settings:saved"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: type(section).__name__)
def test_a_save_never_touches_another_section(store: Store, alice: Person, section: Kind) -> None:
    for version, other in enumerate((*SECTIONS, *SECTIONS), start=1):
        if type(other) is not type(section):
            save(store, alice.token, other, (version - 1) // len(SECTIONS) + 1)
    before = contents(store)
    save(store, alice.token, section, 1)
    after = contents(store)
    changed = {name for name in before if before[name] != after[name]}
    table = {
        NotificationSettings: "notification_settings",
        PriceSettings: "price_settings",
        PrivacySettings: "privacy_settings",
        SidebarSettings: "sidebar_settings",
    }[type(section)]
    assert changed <= {table, "audit_events", "audit_heads", "audit_totals", "quotas"}
    assert table in changed


def test_a_save_does_not_touch_the_balance(store: Store, alice: Person) -> None:
    """A settings form that writes a stale balance back would give spent money back."""
    spend_quota(store, alice.id, 123)
    save(store, alice.token, FULL, 1)
    assert store.quota.state(alice.token).remaining_micro_usd == 5_000_000 - 123


def test_a_save_over_an_old_version_shows_theirs(store: Store, alice: Person) -> None:
    save(store, alice.token, FULL, 1)
    before = contents(store)
    for version in (1, 0, 3, -1):
        with pytest.raises(SettingsConflict) as caught:
            save(store, alice.token, NotificationSettings(), version)
        assert caught.value.theirs == Saved(STORED, 2)
        assert "Nothing was overwritten" in str(caught.value)
    assert contents(store) == before


def test_a_conflict_is_settled_field_by_field(store: Store, alice: Person) -> None:
    mine = NotificationSettings(threshold_micro_usd=7_000_000, gotify_priority=2)
    save(store, alice.token, replace(NotificationSettings(), threshold_micro_usd=3_000_000, email_on=False), 1)
    with pytest.raises(SettingsConflict) as caught:
        save(store, alice.token, mine, 1)
    theirs = caught.value.theirs
    settled = rebased(theirs.section, mine, frozenset({"threshold_micro_usd"}))
    assert (settled.threshold_micro_usd, settled.email_on, settled.gotify_priority) == (7_000_000, False, 5)
    assert save(store, alice.token, settled, theirs.version) == Saved(settled, 3)
    assert rebased(theirs.section, mine, frozenset()) == theirs.section


def test_a_missing_row_is_said(store: Store, alice: Person) -> None:
    with store.database.write() as tx:
        tx.execute(delete(PriceSettingsRow))
    with pytest.raises(DatabaseRefused, match="settings of this account are missing"):
        load(store, alice.token, PriceSettings)
    with pytest.raises(DatabaseRefused):
        save(store, alice.token, PriceSettings(True), 1)


# -- secrets ----------------------------------------------------------------------------------------------------


def test_no_secret_is_read_back_or_lies_in_the_open(store: Store, alice: Person) -> None:
    saved = save(store, alice.token, FULL, 1)
    for words in (repr(saved), repr(FULL), repr(contents(store))):
        for secret in (WEBHOOK_SECRET, BARK_URL, GOTIFY_TOKEN, "plantedDeviceKey", "cGxhbnRlZC"):
            assert secret not in words
    with store.database.read() as tx:
        assert store.settings.secret(tx, alice.id, "webhook_secret") == WEBHOOK_SECRET
        assert store.settings.secret(tx, alice.id, "bark_url") == BARK_URL
        assert store.settings.secret(tx, alice.id, "gotify_token") == GOTIFY_TOKEN


def test_a_secret_is_kept_replaced_or_cleared(store: Store, alice: Person) -> None:
    saved = save(store, alice.token, FULL, 1)
    kept = save(store, alice.token, replace(saved.section, gotify_priority=1), 2)
    assert kept.section.webhook_secret.is_set
    replaced = save(
        store,
        alice.token,
        replace(kept.section, gotify_token=kept.section.gotify_token.replaced("B-other-token-9876")),
        3,
    )
    assert replaced.section.gotify_token == StoredSecret(True, "…9876")
    with store.database.read() as tx:
        assert store.settings.secret(tx, alice.id, "webhook_secret") == WEBHOOK_SECRET
        assert store.settings.secret(tx, alice.id, "gotify_token") == "B-other-token-9876"
    cleared = save(
        store,
        alice.token,
        replace(
            replaced.section,
            gotify_on=False,
            webhook_secret=StoredSecret(True, new=""),
            gotify_token=StoredSecret(True, new=""),
        ),
        4,
    )
    assert (cleared.section.webhook_secret, cleared.section.gotify_token) == (StoredSecret(), StoredSecret())
    with store.database.read() as tx:
        assert store.settings.secret(tx, alice.id, "gotify_token") is None


def test_blanks_around_a_pasted_secret_are_dropped(store: Store, alice: Person) -> None:
    save(
        store,
        alice.token,
        replace(
            FULL,
            webhook_secret=StoredSecret(new=f" {WEBHOOK_SECRET}\n"),
            bark_url=StoredSecret(new=f"{BARK_URL} "),
            gotify_token=StoredSecret(new=f"\t{GOTIFY_TOKEN}"),
        ),
        1,
    )
    with store.database.read() as tx:
        assert store.settings.secret(tx, alice.id, "webhook_secret") == WEBHOOK_SECRET
        assert store.settings.secret(tx, alice.id, "bark_url") == BARK_URL
        assert store.settings.secret(tx, alice.id, "gotify_token") == GOTIFY_TOKEN


@pytest.mark.parametrize(
    "claimed",
    [
        NotificationSettings(bark_on=True, bark_url=StoredSecret(is_set=True)),
        NotificationSettings(
            gotify_on=True, gotify_url="https://gotify.example.com", gotify_token=StoredSecret(is_set=True)
        ),
    ],
)
def test_a_form_cannot_claim_a_secret_that_is_not_there(
    store: Store, alice: Person, claimed: NotificationSettings
) -> None:
    before = contents(store)
    with pytest.raises((InvalidUrl, InvalidSecret)):
        save(store, alice.token, claimed, 1)
    assert contents(store) == before


def test_a_secret_is_bound_to_its_account_and_column(store: Store, alice: Person, bob: Person) -> None:
    for person in (alice, bob):
        save(store, person.token, FULL, 1)
    with store.database.write() as tx:
        stolen = tx.execute(
            select(NotificationSettingsRow.c.bark_url_sealed).where(NotificationSettingsRow.c.account_id == bob.id)
        ).scalar_one()
        tx.execute(
            update(NotificationSettingsRow)
            .where(NotificationSettingsRow.c.account_id == alice.id)
            .values(bark_url_sealed=stolen, gotify_token_sealed=NotificationSettingsRow.c.webhook_secret_sealed)
        )
    with store.database.read() as tx:
        for column in ("bark_url", "gotify_token"):
            with pytest.raises(KeyWrong):
                store.settings.secret(tx, alice.id, column)
        assert store.settings.secret(tx, alice.id, "webhook_secret") == WEBHOOK_SECRET


@pytest.mark.parametrize(
    ("name", "secret", "hint"),
    [
        ("bark_url", "https://api.day.app/abcdef", "https://api.day.app/…"),
        ("bark_url", "http://10.0.0.5:8080/push/abcdef", "http://10.0.0.5:8080/…"),
        ("gotify_token", "0123456789abcdef", "…cdef"),
        ("gotify_token", "0123456789abcde", "…"),
        ("bark_encryption_key", "0123456789abcdef", "…"),
    ],
)
def test_a_hint_gives_little_away(name: str, secret: str, hint: str) -> None:
    (setting,) = (setting for setting in settings_of(NotificationSettings) if setting.name == name)
    assert setting.hint(secret) == hint


# -- who may point notifications elsewhere ----------------------------------------------------------------------

RETARGETS: tuple[dict[str, Any], ...] = (
    {"email_address": "else@example.com"},
    {"webhook_url": "https://else.example.com"},
    {"gotify_url": "https://else.example.com"},
    {"webhook_secret": StoredSecret(True, new=WEBHOOK_SECRET)},
    {"bark_url": StoredSecret(True, new="https://else.example.com/abcdef")},
    {"gotify_token": StoredSecret(True, new="another")},
    {"webhook_secret": StoredSecret(True, new="")},
)
HARMLESS: tuple[dict[str, Any], ...] = (
    {"threshold_micro_usd": FULL.threshold_micro_usd + 1},
    {"email_on": True},
    {"gotify_priority": 10},
)
WEAKER: tuple[tuple[dict[str, Any], str], ...] = (
    ({"threshold_micro_usd": FULL.threshold_micro_usd - 1}, "lower the quota warning threshold"),
    ({"webhook_on": False}, "switch a notification channel off"),
    ({"bark_on": False}, "switch a notification channel off"),
    ({"gotify_on": False}, "switch a notification channel off"),
    ({"gotify_on": False, "email_on": True}, "switch a notification channel off"),
    ({"gotify_priority": FULL.gotify_priority - 1}, "lower the priority of Gotify messages"),
)


@in_memory
@pytest.mark.parametrize("change", RETARGETS, ids=lambda change: next(iter(change)))
def test_a_new_target_needs_a_proof(store: Store, alice: Person, clock: StillClock, change: dict[str, Any]) -> None:
    saved = save(store, alice.token, FULL, 1)
    clock.advance(minutes=6)
    store.sessions.whoami(alice.token)
    before = contents(store)
    with pytest.raises(FreshProofRequired, match="where notifications are sent"):
        save(store, alice.token, replace(saved.section, **change), 2)
    assert contents(store) == before


@in_memory
@pytest.mark.parametrize(("change", "words"), WEAKER)
def test_a_weaker_warning_needs_a_proof_and_a_stronger_one_none(
    store: Store, alice: Person, clock: StillClock, change: dict[str, Any], words: str
) -> None:
    saved = save(store, alice.token, FULL, 1)
    weaker = replace(saved.section, **change)
    clock.advance(minutes=6)
    before = contents(store)
    with pytest.raises(FreshProofRequired, match=f"^Confirm your identity to {words}\\.$"):
        save(store, alice.token, weaker, 2)
    assert contents(store) == before
    store.sign_in.prove_with_password(alice.token, PASSWORD)
    save(store, alice.token, weaker, 2)
    clock.advance(minutes=6)
    save(store, alice.token, replace(saved.section, email_on=weaker.email_on), 3)


@in_memory
@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: next(iter(change)))
def test_anything_else_needs_none(store: Store, alice: Person, clock: StillClock, change: dict[str, Any]) -> None:
    saved = save(store, alice.token, FULL, 1)
    clock.advance(minutes=6)
    assert save(store, alice.token, replace(saved.section, **change), 2).version == 3
    for section in (PriceSettings(), *SECTIONS[2:]):  # to accept models without a price needs one
        save(store, alice.token, section, 1)


def test_a_stale_form_hears_of_the_conflict_first(store: Store, alice: Person, clock: StillClock) -> None:
    save(store, alice.token, FULL, 1)
    clock.advance(minutes=6)
    with pytest.raises(SettingsConflict):
        save(store, alice.token, NotificationSettings(), 1)


def test_an_administrator_saves_without_a_proof(store: Store, alice: Person) -> None:
    assert store.settings.save_for(alice.id, FULL, 1, actor="root") == Saved(STORED, 2)
    assert store.settings.load_for(alice.id, NotificationSettings) == Saved(STORED, 2)
    with pytest.raises(SettingsConflict):
        store.settings.save_for(alice.id, NotificationSettings(), 1, actor="root")
    with pytest.raises(InvalidNumber):
        store.settings.save_for(alice.id, NotificationSettings(gotify_priority=11), 2, actor="root")
    with store.database.read() as tx:
        event = store.audit.page(tx, alice.id)[0]
    assert (event.tag, event.actor, event.source) == ("settings:saved", "root", "command line")


SILENT = NotificationSettings(email_on=False)
GIVEN_UP: tuple[tuple[Any, Any, str], ...] = (
    (PriceSettings(), PriceSettings(accept_unpriced_models=True), "to accept models without price settings"),
    (NotificationSettings(), NotificationSettings(threshold_micro_usd=0), "to switch every quota warning off"),
    (NotificationSettings(), SILENT, "to switch every quota warning off"),
)


@in_memory
@pytest.mark.parametrize(("safe", "given_up", "words"), GIVEN_UP, ids=["price", "threshold", "channels"])
def test_a_safeguard_is_given_up_with_a_proof_and_taken_back_without(
    store: Store, alice: Person, clock: StillClock, safe: Any, given_up: Any, words: str
) -> None:
    clock.advance(minutes=6)
    with pytest.raises(FreshProofRequired, match=f"^Confirm your identity {words}\\.$"):
        save(store, alice.token, given_up, 1)
    assert store.settings.load(alice.token, type(safe)).version == 1
    store.sign_in.prove_with_password(alice.token, PASSWORD)
    save(store, alice.token, given_up, 1)
    clock.advance(minutes=6)
    save(store, alice.token, given_up, 2)  # it was given up before
    save(store, alice.token, safe, 3)


def test_a_proof_that_came_with_a_request_opens_that_request_alone(store: Store, alice: Person, bob: Person) -> None:
    token = store.access_token.generate(alice.token).token
    of_bob = store.proofs.with_password(store.access_token.generate(bob.token).token, PASSWORD)
    proof, given_up = store.proofs.with_password(token, PASSWORD), PriceSettings(accept_unpriced_models=True)

    def change(version: int, proof: Proof | None) -> None:
        with store.database.write() as tx:
            holder = store.access_token.holder(tx, token, to_write=True)
            store.settings.save_with_token(tx, holder, given_up, version, proof)

    for none in (None, of_bob):
        with pytest.raises(FreshProofRequired):
            change(1, none)
    change(1, proof)
    save(store, alice.token, PriceSettings(), 2)
    store.sessions.sign_out_others(alice.token)  # whatever raises the account's epoch
    with pytest.raises(FreshProofRequired):
        change(3, proof)


def test_a_bearer_token_alone_saves_but_never_retargets_or_weakens(store: Store, alice: Person) -> None:
    made = store.access_token.generate(alice.token)
    save(store, alice.token, FULL, 1)
    with store.database.write() as tx:
        holder = store.access_token.holder(tx, made.token, to_write=True)
        saved = store.settings.save_with_token(tx, holder, replace(STORED, **HARMLESS[0]), 2)
    assert saved == Saved(replace(STORED, **HARMLESS[0]), 3)
    before = contents(store)
    for change in (*RETARGETS, *(change for change, _ in WEAKER)):
        with pytest.raises(FreshProofRequired), store.database.write() as tx:
            store.settings.save_with_token(tx, holder, replace(saved.section, **change), 3)
    assert contents(store) == before


# -- the threshold ----------------------------------------------------------------------------------------------


def test_only_a_new_threshold_arms_the_warning_again(store: Store, alice: Person) -> None:
    def armed() -> bool:
        with store.database.read() as tx:
            return tx.execute(select(Quota.c.warning_armed)).scalar_one()

    def disarm() -> None:
        with store.database.write() as tx:
            tx.execute(update(Quota).values(warning_armed=False))

    disarm()
    for section in SECTIONS[1:]:
        save(store, alice.token, section, 1)
    save(store, alice.token, NotificationSettings(email_on=False), 1)
    assert not armed()
    save(store, alice.token, NotificationSettings(threshold_micro_usd=1), 2)
    assert armed()


# -- what a section may hold ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "at"),
    [
        ({"threshold_micro_usd": -1}, InvalidMoney, "threshold_micro_usd"),
        ({"threshold_micro_usd": MAXIMUM_MICRO_USD + 1}, InvalidMoney, "threshold_micro_usd"),
        ({"threshold_micro_usd": 10**30}, InvalidMoney, "threshold_micro_usd"),
        ({"email_address": "no address"}, InvalidEmail, "email_address"),
        ({"email_address": "a@b.example, c@d.example"}, InvalidEmail, "email_address"),
        ({"email_address": "a@b.example\r\nBcc: c@d.example"}, InvalidEmail, "email_address"),
        ({"webhook_url": "ftp://example.com"}, InvalidUrl, "webhook_url"),
        ({"webhook_url": "", "webhook_on": True}, InvalidUrl, "webhook_url"),
        ({"webhook_url": "https://user:pw@example.com"}, InvalidUrl, "webhook_url"),
        ({"webhook_secret": StoredSecret(new="short")}, InvalidSecret, "webhook_secret"),
        ({"webhook_secret": StoredSecret(new="whsec_AAAA")}, InvalidSecret, "webhook_secret"),
        ({"webhook_secret": StoredSecret(new="whsec_" + "A" * 88)}, InvalidSecret, "webhook_secret"),
        ({"webhook_secret": StoredSecret(new="whsec_é" + "A" * 40)}, InvalidSecret, "webhook_secret"),
        ({"webhook_secret": StoredSecret(new="whsec_\ud800")}, InvalidSecret, "webhook_secret"),
        ({"bark_url": StoredSecret(new="api.day.app/key")}, InvalidUrl, "bark_url"),
        ({"bark_url": StoredSecret(new="https://api.day.app/")}, InvalidUrl, "bark_url"),
        ({"bark_url": StoredSecret(new="https://api.day.app/key1?x=1")}, InvalidUrl, "bark_url"),
        ({"bark_url": StoredSecret(new="https://api.day.app/../../etc/passwd%00")}, InvalidUrl, "bark_url"),
        ({"bark_url": StoredSecret(new=""), "bark_on": True}, InvalidUrl, "bark_url"),
        ({"gotify_url": "nonsense"}, InvalidUrl, "gotify_url"),
        ({"gotify_url": " ", "gotify_on": True}, InvalidUrl, "gotify_url"),
        ({"gotify_token": StoredSecret(new="two words")}, InvalidSecret, "gotify_token"),
        ({"gotify_token": StoredSecret(new="tök\ud800n")}, InvalidSecret, "gotify_token"),
        ({"gotify_token": StoredSecret(new="x" * 201)}, InvalidSecret, "gotify_token"),
        ({"gotify_token": StoredSecret(new=" "), "gotify_on": True}, InvalidSecret, "gotify_token"),
        ({"gotify_priority": -1}, InvalidNumber, "gotify_priority"),
        ({"gotify_priority": 11}, InvalidNumber, "gotify_priority"),
    ],
    ids=ascii,
)
def test_a_bad_field_saves_nothing(
    memory_store: Store, change: dict[str, Any], error: type[GatekeyError], at: str
) -> None:
    account = memory_store.accounts.create("alice", None, actor="test")
    before = contents(memory_store)
    with pytest.raises(error) as caught:
        memory_store.settings.save_for(account.id, replace(FULL, **change), 1, actor="root")
    assert caught.value.field == at
    assert contents(memory_store) == before


def test_every_problem_is_named_in_the_order_of_the_form() -> None:
    wrong = NotificationSettings(
        threshold_micro_usd=-1,
        email_address="x",
        webhook_on=True,
        webhook_secret=StoredSecret(new="x"),
        bark_on=True,
        gotify_on=True,
        gotify_priority=99,
    )
    assert [problem.field for problem in wrong.problems()] == [
        "threshold_micro_usd",
        "email_address",
        "webhook_url",
        "webhook_secret",
        "bark_url",
        "gotify_url",
        "gotify_token",
        "gotify_priority",
    ]
    assert FULL.problems() == NotificationSettings().problems() == []


def test_fields_are_kept_while_their_channel_is_off(store: Store, alice: Person) -> None:
    off = replace(FULL, webhook_on=False, bark_on=False, gotify_on=False)
    saved = save(store, alice.token, off, 1)
    assert saved.section == replace(STORED, webhook_on=False, bark_on=False, gotify_on=False)
    assert saved.section.channels == ()
    assert STORED.channels == (Channel.WEBHOOK, Channel.BARK, Channel.GOTIFY)
    assert NotificationSettings().channels == (Channel.EMAIL,)


def test_blanks_around_an_address_are_dropped(store: Store, alice: Person) -> None:
    typed = NotificationSettings(
        email_address=" a@example.com ", webhook_url=" https://x.example ", gotify_url="https://y.example "
    )
    section = save(store, alice.token, typed, 1).section
    assert (section.email_address, section.webhook_url, section.gotify_url) == (
        "a@example.com",
        "https://x.example",
        "https://y.example",
    )
    assert save(store, alice.token, NotificationSettings(email_address="  "), 2).section.email_address == ""


def test_an_unknown_module_is_refused(store: Store, alice: Person) -> None:
    with pytest.raises(InvalidSetting, match=r"^There is no module called walet\. Did you mean wallet\?$"):
        save(store, alice.token, SidebarSettings(frozenset({"walet", "settings"})), 1)
    everything = SidebarSettings(frozenset(MODULES))
    assert save(store, alice.token, everything, 1).section == everything
    assert save(store, alice.token, SidebarSettings(), 2).section == SidebarSettings()


@pytest.mark.parametrize("damaged", ["5", "null", '"wallet"', "[1]", '[{"a": 1}]', "{}"])
def test_a_damaged_list_of_modules_is_said_to_be_damaged(store: Store, alice: Person, damaged: str) -> None:
    with store.database.write() as tx:
        tx.execute(text("update sidebar_settings set hidden_modules = :damaged"), {"damaged": damaged})
    with pytest.raises(DatabaseDamaged):
        load(store, alice.token, SidebarSettings)


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert NotificationSettings().threshold_micro_usd == 1_000_000
    assert [(field.name, field.default) for field in fields(PriceSettings)] == [("accept_unpriced_models", False)]
    assert [(field.name, field.default) for field in fields(PrivacySettings)] == [("record_client_ip", False)]
    assert SidebarSettings().hidden_modules == frozenset()


def test_every_setting_has_its_column_and_every_column_its_setting() -> None:
    for kind, table in _TABLES.items():
        columns = [column.name for column in table.c]
        assert columns == ["account_id", "version", *(setting.column for setting in settings_of(kind))]


# -- addresses that cannot work ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook_url", "http://127.0.0.1:8080/hook"),
        ("gotify_url", "http://localhost:8080"),
        ("bark_url", StoredSecret(new="http://10.0.0.5/abcdef")),
    ],
)
def test_an_address_in_a_private_network_is_refused_until_it_is_allowed(
    store: Store, alice: Person, name: str, value: Any
) -> None:
    before = contents(store)
    section = replace(NotificationSettings(), **{name: value})
    with pytest.raises(InvalidUrl, match=r"private network|is not 80 or 443") as refused:
        save(store, alice.token, section, 1)
    assert refused.value.field == name
    assert contents(store) == before
    store.site.set("channels.private_network_allow", "127.0.0.1:8080,10.0.0.5:80")
    assert save(store, alice.token, section, 1).version == 2


def test_an_address_that_was_saved_before_does_not_keep_the_rest_from_being_saved(store: Store, alice: Person) -> None:
    store.site.set("channels.private_network_allow", "127.0.0.1:8080")
    section = NotificationSettings(webhook_url="http://127.0.0.1:8080/hook")
    save(store, alice.token, section, 1)
    store.site.unset("channels.private_network_allow")
    assert save(store, alice.token, replace(section, threshold_micro_usd=5_000_000), 2).version == 3


# -- the last change --------------------------------------------------------------------------------------------


def test_a_section_knows_when_it_was_saved_last(store: Store, clock: StillClock, alice: Person) -> None:
    assert store.settings.load_dated(alice.token, PriceSettings).changed_at is None
    clock.advance(minutes=3)
    at = clock.now()
    assert save(store, alice.token, PriceSettings(True), 1).changed_at == at
    clock.advance(minutes=1)
    save(store, alice.token, PrivacySettings(True), 1)
    assert store.settings.load_dated(alice.token, PriceSettings) == Saved(PriceSettings(True), 2)
    assert store.settings.load_dated(alice.token, PriceSettings).changed_at == at
    assert store.settings.load_dated(alice.token, SidebarSettings).changed_at is None


# -- what a form says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings])
def test_every_setting_says_what_it_does_and_what_follows(kind: Kind) -> None:
    for setting in settings_of(kind):
        assert setting.about, setting.name
        assert setting.consequence, setting.name
        for words in (setting.help, setting.about, setting.consequence):
            assert words.endswith((".", "example.com")), words
