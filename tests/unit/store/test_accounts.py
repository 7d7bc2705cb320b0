"""Accounts: created once per name, found whatever the case, and never without an administrator."""

import pytest

from store.accounts import Role
from store.errors import (
    InvalidEmail,
    InvalidMoney,
    InvalidName,
    LastAdministrator,
    NameTaken,
    NoSuchAccount,
    PasswordTooShort,
)
from store.money import MAXIMUM_MICRO_USD
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from store.store import Store
from store.throttle import Factor
from store.values.billing import QuotaState
from store.values.sections import Saved
from tests.harness.people import Person, contents, session_of, tags
from tests.harness.stores import PASSWORD, SOURCE, StillClock, add_account


def test_a_new_account_has_its_defaults(store: Store, clock: StillClock) -> None:
    made = store.accounts.create(
        "Alice", PASSWORD, email=" alice@example.com ", role=Role.ADMIN, quota_micro_usd=5_000_000, actor="setup"
    )
    assert made == store.accounts.get(made.id) == store.accounts.find("Alice")
    assert (made.name, made.email, made.role, made.has_password) == ("Alice", "alice@example.com", Role.ADMIN, True)
    assert made.created_at == made.password_changed_at == clock.now()
    with store.database.read() as tx:
        assert store.quota.state_of(tx, made.id) == QuotaState(5_000_000, 0, 0)
        assert store.settings.read(tx, made.id, NotificationSettings) == Saved(NotificationSettings(), 1)
        assert store.settings.read(tx, made.id, PriceSettings) == Saved(PriceSettings(), 1)
        assert store.settings.read(tx, made.id, PrivacySettings) == Saved(PrivacySettings(), 1)
        assert store.settings.read(tx, made.id, SidebarSettings) == Saved(SidebarSettings(), 1)
    assert tags(store, made.id) == ["account:created"]


def test_an_account_may_have_no_password(store: Store) -> None:
    made = store.accounts.create("alice", None, actor="setup")
    assert (made.has_password, made.password_changed_at, made.email) == (False, None, "")


def test_an_account_is_found_whatever_the_case(store: Store) -> None:
    made = add_account(store, "Straße")
    for spelling in ("Straße", "STRASSE", "strasse", "straße", "Ｓtrasse"):
        assert store.accounts.find(spelling) == made


@pytest.mark.parametrize("second", ["alice", "ALICE", "Alice", "ａlice"])
def test_a_name_is_taken_in_every_spelling(memory_store: Store, second: str) -> None:
    add_account(memory_store, "Alice")
    before = contents(memory_store)
    with pytest.raises(NameTaken) as caught:
        memory_store.accounts.create(second, PASSWORD, actor="setup")
    assert caught.value.field == "username"
    assert contents(memory_store) == before


def test_a_taken_name_leaves_nothing_behind(store: Store) -> None:
    add_account(store)
    before = contents(store)
    with pytest.raises(NameTaken):
        add_account(store)
    assert contents(store) == before


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": "two words"}, InvalidName),
        ({"name": ""}, InvalidName),
        ({"name": "rtl\u202ename"}, InvalidName),
        ({"email": "not an address"}, InvalidEmail),
        ({"password": "short"}, PasswordTooShort),
        ({"quota_micro_usd": -1}, InvalidMoney),
        ({"quota_micro_usd": MAXIMUM_MICRO_USD + 1}, InvalidMoney),
    ],
)
def test_bad_input_creates_nothing(memory_store: Store, changed: dict[str, object], error: type[Exception]) -> None:
    before = contents(memory_store)
    arguments: dict[str, object] = {"name": "alice", "password": PASSWORD, "actor": "setup"} | changed
    with pytest.raises(error):
        memory_store.accounts.create(**arguments)  # type: ignore[arg-type]  # the cases say which argument is at fault
    assert contents(memory_store) == before


def test_only_one_first_account_is_made(store: Store) -> None:
    assert store.accounts.is_empty()
    store.accounts.create("alice", PASSWORD, role=Role.ROOT, actor="setup", only_if_first=True)
    assert not store.accounts.is_empty()
    with pytest.raises(NameTaken, match="There is an account already"):
        store.accounts.create("mallory", PASSWORD, role=Role.ROOT, actor="setup", only_if_first=True)
    assert [account.name for account in store.accounts.all()] == ["alice"]


def test_all_accounts_come_by_name(store: Store) -> None:
    for name in ("carol", "Bob", "alice"):
        add_account(store, name)
    assert [account.name for account in store.accounts.all()] == ["alice", "Bob", "carol"]


@pytest.mark.parametrize("name", ["nobody", "", "nul\x00", "\ud800", "x" * 10_000], ids=lambda name: ascii(name[:8]))
def test_an_unknown_name_finds_nobody(store: Store, name: str) -> None:
    with pytest.raises(NoSuchAccount):
        store.accounts.find(name)


def test_an_unknown_id_finds_nobody(store: Store) -> None:
    with pytest.raises(NoSuchAccount):
        store.accounts.get(4711)


def test_a_role_can_be_changed(store: Store) -> None:
    add_account(store, "root", role=Role.ROOT)
    alice = add_account(store)
    store.accounts.set_role("ALICE", Role.ADMIN, actor="root")
    assert store.accounts.find("alice").role is Role.ADMIN
    store.accounts.set_role("alice", Role.USER, actor="root")
    assert store.accounts.find("alice").role is Role.USER
    assert tags(store, alice.id) == ["account:created", "account:role-changed", "account:role-changed"]


def test_the_last_administrator_stays_one(store: Store) -> None:
    add_account(store, "root", role=Role.ROOT)
    add_account(store)
    before = contents(store)
    with pytest.raises(LastAdministrator):
        store.accounts.set_role("root", Role.USER, actor="root")
    assert contents(store) == before
    store.accounts.set_role("alice", Role.ADMIN, actor="root")
    store.accounts.set_role("root", Role.USER, actor="alice")
    assert [account.role for account in store.accounts.all()] == [Role.ADMIN, Role.USER]


def test_roles_say_who_administers() -> None:
    assert [role.is_administrator for role in (Role.USER, Role.ADMIN, Role.ROOT)] == [False, True, True]


def test_a_role_needs_an_account(store: Store) -> None:
    with pytest.raises(NoSuchAccount):
        store.accounts.set_role("nobody", Role.ADMIN, actor="root")


def test_resetting_factors_lifts_every_lock(store: Store, alice: Person) -> None:
    for factor in Factor:
        for _ in range(5):
            store.throttles.reserve(factor, "alice")
    store.accounts.reset_factors("Alice", actor="root")
    with store.database.read() as tx:
        assert [store.throttles.failures(tx, factor, "alice") for factor in Factor] == [0] * len(Factor)
    session_of(store.sign_in.with_password("alice", PASSWORD, source=SOURCE))
    assert "factor:reset" in tags(store, alice.id)


def test_resetting_factors_needs_an_account(store: Store) -> None:
    with pytest.raises(NoSuchAccount):
        store.accounts.reset_factors("nobody", actor="root")


def test_a_new_account_does_not_inherit_failures(store: Store) -> None:
    for _ in range(5):
        store.throttles.reserve(Factor.PASSWORD, "alice")
    add_account(store)
    session_of(store.sign_in.with_password("alice", PASSWORD, source=SOURCE))
