"""An item of the drawer goes to one of many fetches at the same moment, and to none twice."""

import pytest
from sqlalchemy import delete, select

from store.drawer_parts import PART_BYTES
from store.errors import NoSuchItem
from store.models import DrawerItemRow
from store.store import Store
from tests.harness.processes import ProcessGroup, Worker, enter
from tests.harness.stores import add_account, sign_in

ROUNDS = 6


def fetch(worker: Worker, url: str, token: str) -> list[int]:
    """The bytes that this process got, by round. In every second round the first process breaks off half-way."""
    got = []
    with enter(url).store as store:
        for number in range(ROUNDS):
            worker.meet()
            try:
                claimed = store.drawer.claim(token, f"item-{number}")
                read = len(store.drawer.read(token, claimed, 0, is_last_missing=False))
                read += len(store.drawer.read(token, claimed, 1, is_last_missing=True))
            except NoSuchItem:
                read = 0
            got.append(read)
    return got


def fetch_naively(worker: Worker, url: str, token: str) -> list[int]:
    """Look whether the item is there, take it, then remove it."""
    got = []
    with enter(url).store as store:
        for number in range(ROUNDS):
            with store.database.read() as tx:
                found = tx.execute(select(DrawerItemRow).where(DrawerItemRow.c.name == f"item-{number}")).one_or_none()
            worker.meet()
            with store.database.write() as tx:
                tx.execute(delete(DrawerItemRow).where(DrawerItemRow.c.name == f"item-{number}"))
            got.append(0 if found is None else found.size_bytes)
    return got


def put_and_fetch(worker: Worker, url: str, tokens: list[str]) -> int:
    """Two processes for each account put, fetch, remove and purge with all others; returns the items fetched."""
    token, fetched = tokens[worker.number % len(tokens)], 0
    with enter(url).store as store:
        for number in range(ROUNDS):
            worker.meet()
            store.drawer.put(token, "export.json", f"{worker.number} {number}")
            for item in store.drawer.list(token):
                try:
                    store.drawer.read(token, store.drawer.claim(token, item.name), 0, is_last_missing=True)
                except NoSuchItem:
                    continue
                fetched += 1
            store.drawer.purge()
    return fetched


def prepare(store: Store) -> str:
    add_account(store)
    token = sign_in(store)
    for number in range(ROUNDS):
        store.drawer.put(token, f"item-{number}", bytes(PART_BYTES + 7))
    return token


def winners(got: list[list[int]]) -> list[int]:
    """The number of processes that got an item, by round."""
    return [sum(bool(mine[number]) for mine in got) for number in range(ROUNDS)]


@pytest.mark.parametrize("way", ["claimed", "naively"])
def test_one_of_eight_fetches_gets_an_item(store: Store, url: str, processes: ProcessGroup, way: str) -> None:
    token = prepare(store)
    got = processes.run(fetch if way == "claimed" else fetch_naively, url, token)
    if way == "claimed":
        assert winners(got) == [1] * ROUNDS
        assert {read for mine in got for read in mine} == {0, PART_BYTES + 7}
        assert store.drawer.list(token) == ()
    else:
        assert max(winners(got)) > 1


def test_every_item_is_fetched_once_by_whoever_is_first(store: Store, url: str, processes: ProcessGroup) -> None:
    for name in ("alice", "bob", "carol", "dave"):
        add_account(store, name, email=f"{name}@example.com")
    tokens = [sign_in(store, name) for name in ("alice", "bob", "carol", "dave")]
    fetched = sum(processes.run(put_and_fetch, url, tokens))
    left = sum(len(store.drawer.list(token)) for token in tokens)
    assert fetched + left == 8 * ROUNDS
    print(f"items fetched once: {fetched}, left: {left}, of {8 * ROUNDS}")
