"""The total over all chains: without the key, no chain can be set back to an earlier copy."""

import threading
from contextlib import suppress

import pytest
from sqlalchemy import delete, select, text, update

from store import schema
from store.accounts import Role
from store.audit_macs import seal_sum
from store.audit_tags import SiteTag, Tag
from store.database import Database
from store.errors import KeyWrong
from store.models import Account, AuditEvent, AuditHead, AuditTotal, SiteEvent
from store.store import Store
from store.values.billing import ModelPrice
from tests.harness.people import Person, allow_bindings, contents, statements
from tests.harness.stores import StillClock, add_account, make_ring, make_store, sign_in
from tests.unit.store.audit_log import CHAIN, WHOLE_LOG, act, copy_of, put_back, report, take_back_to_0002

# -- setting back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tables", [CHAIN, (*CHAIN, "audit_totals"), WHOLE_LOG], ids=len)
def test_a_chain_set_back_to_a_kept_copy_is_found(
    store: Store, alice: Person, bob: Person, tables: tuple[str, ...]
) -> None:
    act(store, alice.id, 3)
    kept = copy_of(store, *tables)
    act(store, alice.id, 3)
    act(store, bob.id, 1)
    assert report(store).is_intact
    put_back(store, kept, alice.id)
    found = report(store)
    assert found.accounts[alice.id].broken_at is None, "by itself it is as it was"
    assert not found.is_intact
    act(store, alice.id, 2)
    act(store, bob.id, 2)
    assert not report(store).is_bound, "later events heal nothing"


def test_a_total_made_to_fit_is_not_blessed_by_the_next_event(store: Store, alice: Person, bob: Person) -> None:
    """The seals can be read, so their sum can be made to fit; only its MAC cannot."""
    kept = copy_of(store, *CHAIN)
    before = report(store).accounts[alice.id].events
    act(store, alice.id, 3)
    with store.database.read() as tx:
        new = tx.execute(select(AuditHead.c.seal).where(AuditHead.c.account_id == alice.id)).scalar_one()
        seals = tx.execute(select(AuditTotal.c.seals)).scalar_one()
    put_back(store, kept, alice.id)
    (old,) = [row["seal"] for row in kept["audit_heads"] if row["account_id"] == alice.id]
    with store.database.engine.begin() as tx:
        tx.execute(update(AuditTotal).values(seals=seal_sum(seals, gone=[new], new=[old])))
    act(store, bob.id)
    store.site.set("smtp.port", "25", actor="unix:root")
    found = report(store)
    assert found.accounts[alice.id].events == before
    assert not found.is_bound
    assert found.site.broken_at == 2, "its end is part of the total"


def test_everything_set_back_is_flawless_from_within(store: Store, alice: Person, bob: Person) -> None:
    """Checkpoints exist for this case."""
    kept = copy_of(store, *WHOLE_LOG)
    act(store, alice.id, 3)
    act(store, bob.id, 3)
    put_back(store, kept)
    assert report(store).is_intact


def test_an_account_removed_by_hand_is_found(store: Store, alice: Person, bob: Person) -> None:
    with store.database.engine.begin() as tx:
        tx.execute(delete(Account).where(Account.c.id == alice.id))
    found = report(store)
    assert list(found.accounts) == [bob.id]
    assert not found.is_bound


def test_a_chain_that_begins_anew_is_found(store: Store, alice: Person) -> None:
    with store.database.engine.begin() as tx:
        tx.execute(delete(AuditEvent).where(AuditEvent.c.account_id == alice.id))
        tx.execute(delete(AuditHead).where(AuditHead.c.account_id == alice.id))
    act(store, alice.id)
    found = report(store)
    assert found.accounts[alice.id].broken_at is None
    assert not found.is_bound


def test_a_total_that_was_removed_stays_away(store: Store, alice: Person) -> None:
    with store.database.engine.begin() as tx:
        tx.execute(delete(AuditTotal))
    act(store, alice.id)
    store.site.set("public_url", "https://gateway.example.com", actor="unix:root")
    assert not report(store).is_intact
    with store.database.read() as tx:
        assert tx.execute(select(AuditTotal)).all() == []
        assert [event.tag for event in store.audit.site_page(tx)] == ["site:changed"]


@pytest.mark.parametrize(
    "values", [{"events": 1}, {"seals": bytes(32)}, {"mac": b"x"}, {"total_mac": b"x"}, {"key_id": 9}], ids=str
)
def test_an_altered_total_is_found(store: Store, alice: Person, values: dict[str, object]) -> None:
    act(store, alice.id)
    with store.database.engine.begin() as tx:
        tx.execute(update(AuditTotal).values(**values))
    assert not report(store).is_intact


# -- what keeps it whole ----------------------------------------------------------------------------------------


def test_it_counts_every_event_there_ever_was(store: Store, alice: Person, bob: Person) -> None:
    before = report(store).events
    assert before is not None
    act(store, alice.id, 3)
    store.deletion.delete(bob.token, "bob")
    found = report(store)
    assert found.is_intact
    assert found.events == before + 4
    assert list(found.accounts) == [alice.id]


def test_a_deletion_is_told_without_a_name(store: Store, alice: Person) -> None:
    events = report(store).accounts[alice.id].events
    deleted = store.deletion.delete(alice.token, "alice")
    with store.database.read() as tx:
        (told,) = store.audit.site_page(tx)
    assert (told.tag, told.actor) == ("account:deleted", "self")
    assert told.detail == {"account_id": alice.id, "tombstone": deleted.tombstone, "events": events}


def test_two_events_of_one_transaction(store: Store, alice: Person, bob: Person) -> None:
    with store.database.write() as tx:
        for person in (alice, bob, alice):
            store.audit.record(tx, person.id, Tag.PROVED, actor="x", source="")
        store.audit.record_site(tx, SiteTag.KEY_RENEWED, actor="x", source="")
        store.audit.record_site(tx, SiteTag.KEY_RENEWED, actor="x", source="")
    assert report(store).is_intact
    assert report(store).site.events == 2


def test_what_is_rolled_back_was_never_told(store: Store, alice: Person) -> None:
    before = contents(store)
    with suppress(ZeroDivisionError), store.database.write() as tx:
        store.audit.record(tx, alice.id, Tag.PROVED, actor="x", source="")
        store.audit.record_site(tx, SiteTag.KEY_RENEWED, actor="x", source="")
        raise ZeroDivisionError
    assert contents(store) == before
    with store.database.write() as tx:
        with suppress(ZeroDivisionError), tx.begin_nested():
            store.audit.record(tx, alice.id, Tag.PROVED, actor="x", source="")
            raise ZeroDivisionError
        store.audit.record(tx, alice.id, Tag.PROVED, actor="x", source="")
    assert report(store).accounts[alice.id].broken_at is None
    assert report(store).is_bound


def test_acts_on_many_accounts_at_once(store: Store) -> None:
    people = [add_account(store, f"person-{number}").id for number in range(6)]
    gate = threading.Barrier(len(people))

    def live(account_id: int) -> None:
        gate.wait()
        for number in range(10):
            act(store, account_id)
            if number % 5 == 0:
                store.site.set("smtp.port", str(number + 1), actor="x")

    threads = [threading.Thread(target=live, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = report(store)
    assert found.is_intact
    assert found.site.events == 12
    assert {chain.events for chain in found.accounts.values()} == {11}


def test_a_transaction_without_an_event_asks_for_nothing_more(store: Store, alice: Person) -> None:
    """Every relayed call is such a one."""
    with statements(store) as seen:
        with store.database.write() as tx:
            tx.execute(update(Account).where(Account.c.id == alice.id).values(email="a@example.com"))
        assert len([one for one in seen if one.startswith(("SELECT", "UPDATE", "INSERT"))]) == 1


# -- the site's own chain ---------------------------------------------------------------------------------------


def test_acts_on_the_site_are_told(store: Store, clock: StillClock) -> None:
    add_account(store)
    store.site.set("smtp.host", "mail.example.com", actor="unix:root")
    store.site.set("smtp.password", "planted-secret", actor="unix:root")
    store.site.unset("smtp.host", actor="unix:root")
    store.site.unset("smtp.host", actor="unix:root")
    store.pricing.set(ModelPrice("some-model", 1, 2, 3), actor="unix:root")
    store.pricing.remove("some-model", actor="unix:root")
    allow_bindings(store)
    store.bindings.remove_provider("github", actor="unix:root")
    store.accounts.reset_factors("alice", actor="unix:root")
    with store.database.read() as tx:
        told = store.audit.site_page(tx)[::-1]
        newest = store.audit.site_page(tx, before=3, limit=1)
    assert [event.tag for event in told] == [
        "site:changed",
        "site:changed",
        "site:reset",
        "price:set",
        "price:removed",
        "site:changed",
        "provider:added",
        "provider:removed",
        "account:unlocked",
    ]
    assert told[0].detail == {"setting": "smtp.host", "value": '"mail.example.com"'}
    assert told[3].detail == {"model": "some-model", "input_per_million": 1, "output_per_million": 2, "per_request": 3}
    assert (told[0].actor, told[0].source, told[0].at) == ("unix:root", "command line", clock.now())
    assert newest == [told[1]]
    assert "planted" not in str(told)
    assert report(store).is_intact


def test_a_refused_act_on_the_site_is_not_told(store: Store) -> None:
    from store.errors import InvalidLabel, NoSuchItem

    allow_bindings(store)
    before = contents(store)
    with pytest.raises(InvalidLabel):
        allow_bindings_again(store)
    with pytest.raises(NoSuchItem):
        store.pricing.remove("nothing")
    with pytest.raises(NoSuchItem):
        store.bindings.remove_provider("nothing")
    assert contents(store) == before


def allow_bindings_again(store: Store) -> None:
    from store.values.bindings import ProviderKind

    store.bindings.add_provider("github", "G", ProviderKind.GITHUB, issuer="", client_id="c", client_secret=None)


@pytest.mark.parametrize("place", [1, 3, 5])
def test_tampering_with_the_sites_chain_is_found_at_its_place(store: Store, place: int) -> None:
    for number in range(5):
        store.site.set("smtp.port", str(number + 1), actor="unix:root")
    with store.database.engine.begin() as tx:
        tx.execute(update(SiteEvent).where(SiteEvent.c.sequence == place).values(actor="unix:mallory"))
    assert report(store).site.broken_at == place
    with store.database.engine.begin() as tx:
        tx.execute(delete(SiteEvent).where(SiteEvent.c.sequence == place))
    assert report(store).site.broken_at == place


def test_the_sites_chain_cut_off_is_found(store: Store) -> None:
    for number in range(5):
        store.site.set("smtp.port", str(number + 1), actor="unix:root")
    with store.database.engine.begin() as tx:
        tx.execute(delete(SiteEvent).where(SiteEvent.c.sequence > 3))
        mac = tx.execute(select(SiteEvent.c.mac).where(SiteEvent.c.sequence == 3)).scalar_one()
        tx.execute(update(AuditTotal).values(sequence=3, mac=mac))
    found = report(store)
    assert found.site.broken_at == 4
    assert not found.is_bound


# -- databases of before ----------------------------------------------------------------------------------------


@pytest.fixture
def old_url(url: str) -> str:
    """A database of a revision without seals, with three people in it; the chain of one was cut off."""
    with make_store(url) as store:
        for name in ("alice", "bob", "carol"):
            add_account(store, name, role=Role.ADMIN)
            sign_in(store, name)
        carol = store.accounts.find("carol").id
        take_back_to_0002(store.database)
        with store.database.engine.begin() as tx:
            tx.execute(text("DELETE FROM audit_events WHERE account_id = :id AND sequence = 2"), {"id": carol})
    return url


def test_an_upgrade_seals_what_fits_and_names_the_rest(old_url: str) -> None:
    database = Database(old_url)
    assert schema.upgrade(database, make_ring) == "0002"
    database.close()
    with make_store(old_url) as store:
        names = {account.id: account.name for account in store.accounts.all()}
        found = report(store)
        assert {names[one] for one, chain in found.accounts.items() if chain.broken_at is None} == {"alice", "bob"}
        assert found.is_bound
        assert found.events == 6
        sign_in(store, "alice")
        assert report(store).is_bound


def test_an_upgrade_under_another_key_changes_nothing(old_url: str) -> None:
    database = Database(old_url)
    with pytest.raises(KeyWrong):
        schema.upgrade(database, lambda: make_ring(8))
    with database.read() as tx:
        assert schema.revision(tx) == "0002"
    database.close()
