"""A checkpoint kept elsewhere tells what the database alone cannot: that all of it was set back."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete

from store import audit_checkpoint
from store.audit_checkpoint import Checkpoint
from store.errors import InvalidInput
from store.models import Account
from store.store import Store
from tests.harness.people import Person
from tests.harness.stores import StillClock
from tests.unit.store.audit_log import WHOLE_LOG, act, copy_of, put_back


def take(store: Store) -> Checkpoint:
    with store.database.read() as tx:
        taken = audit_checkpoint.checkpoint_of(store.audit.verify_all(tx), store.context.now())
    return audit_checkpoint.parse(taken.serialise())


def since(store: Store, earlier: Checkpoint) -> list[str]:
    with store.database.read() as tx:
        return list(audit_checkpoint.compare(tx, store.context.ring, store.audit.verify_all(tx), earlier))


def test_it_goes_on_from_a_checkpoint(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    store.site.set("smtp.port", "25", actor="unix:root")
    earlier = take(store)
    assert earlier.at == clock.now()
    assert earlier.site.events == 1
    assert since(store, earlier) == []
    act(store, alice.id, 3)
    store.site.set("smtp.port", "26", actor="unix:root")
    store.deletion.delete(bob.token, "bob")
    assert since(store, earlier) == []


def test_everything_set_back_is_told(store: Store, alice: Person, bob: Person) -> None:
    kept = copy_of(store, *WHOLE_LOG)
    act(store, alice.id)
    store.site.set("smtp.port", "25", actor="unix:root")
    earlier = take(store)
    put_back(store, kept)
    assert take(store).events < earlier.events
    sentences = since(store, earlier)
    assert "the database was set back" in sentences[0]
    assert sentences[1:] == [
        "The site's events up to the checkpoint are not those it saw.",
        "The events of alice up to the checkpoint are not those it saw.",
    ]
    # Other events in their place make up the count, and not what was said.
    act(store, bob.id, 10)
    assert since(store, earlier) == sentences[1:]


def test_an_account_that_went_without_a_word_is_told(store: Store, alice: Person, bob: Person) -> None:
    earlier = take(store)
    with store.database.engine.begin() as tx:
        tx.execute(delete(Account).where(Account.c.id == alice.id))
    assert since(store, earlier) == [f"Account {alice.id} is gone, and no event tells of its deletion."]


def test_it_is_told_in_one_line(store: Store, alice: Person) -> None:
    act(store, alice.id)
    line = take(store).summary()
    assert "\n" not in line
    assert len(line) < 400
    assert f" {take(store).events} events, 1 accounts" in line


BROKEN: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "cut off": lambda text: text[: len(text) // 2],
    "list": lambda _: "[]",
    "number": lambda _: "7",
    "another format": lambda text: text.replace("checkpoint 1", "checkpoint 2"),
    "no marks": lambda text: text.replace('"site"', '"sight"'),
    "bad time": lambda text: text.replace("2026-", "2O26-"),
    "bad count": lambda text: text.replace('"events": ', '"events": "x", "more": '),
    "deep": lambda _: "[" * 100_000,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_checkpoint_is_refused(memory_store: Store, kind: str) -> None:
    memory_store.accounts.create("alice", None, actor="test")
    with pytest.raises(InvalidInput, match="not a checkpoint"):
        audit_checkpoint.parse(BROKEN[kind](take(memory_store).serialise()))
