"""The responses of an account at the model server: each belongs to one account, and old ones are forgotten."""

import pytest

from store.errors import NoSuchItem
from store.store import Store
from store.stored_responses import KEPT_FOR
from tests.harness.people import Person
from tests.harness.stores import StillClock, add_account


def register(store: Store, account_id: int, name: str, tokens: int = 7) -> None:
    with store.database.write() as tx:
        store.stored_responses.register(tx, account_id, name, tokens)


def tokens(store: Store, account_id: int, name: str) -> int:
    with store.database.read() as tx:
        return store.stored_responses.tokens(tx, account_id, name)


def test_a_response_belongs_to_the_account_that_stored_it(store: Store, alice: Person) -> None:
    bob = add_account(store, "bob").id
    register(store, alice.id, "resp_1")
    register(store, bob, "resp_1", 900)
    register(store, alice.id, "resp_2", 2**60)
    assert (tokens(store, alice.id, "resp_1"), tokens(store, alice.id, "resp_2")) == (7, 2**40)
    for account_id, name in ((bob, "resp_1"), (alice.id, "resp_3")):
        with pytest.raises(NoSuchItem):
            tokens(store, account_id, name)
    with store.database.write() as tx, pytest.raises(NoSuchItem):
        store.stored_responses.forget(tx, bob, "resp_1")
    with store.database.write() as tx:
        store.stored_responses.forget(tx, alice.id, "resp_1")
    with pytest.raises(NoSuchItem):
        tokens(store, alice.id, "resp_1")


def test_old_responses_were_forgotten_with_the_next_one(store: Store, alice: Person, clock: StillClock) -> None:
    bob = add_account(store, "bob").id
    register(store, alice.id, "resp_1")
    register(store, bob, "resp_2")
    clock.advance(days=KEPT_FOR.days)
    register(store, alice.id, "resp_3")
    assert tokens(store, alice.id, "resp_1") == 7
    clock.advance(seconds=1)
    register(store, alice.id, "resp_4")
    with pytest.raises(NoSuchItem):
        tokens(store, alice.id, "resp_1")
    assert tokens(store, alice.id, "resp_3") == tokens(store, bob, "resp_2") == 7
