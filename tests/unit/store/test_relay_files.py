"""The files of an account at the model server: each belongs to one account, and there are not too many."""

import pytest

from store import relay_files
from store.errors import LimitReached, NoSuchItem
from store.store import Store
from tests.harness.people import Person
from tests.harness.stores import StillClock, add_account


def names(store: Store, account_id: int, **options: object) -> list[str]:
    with store.database.read() as tx:
        page = store.relay_files.page(tx, account_id, **options)  # type: ignore[arg-type]
    return [file.id for file in page.files]


def register(store: Store, account_id: int, file_id: str, **options: object) -> None:
    values = {"filename": "in.jsonl", "purpose": "batch", **options}
    with store.database.write() as tx:
        store.relay_files.register(tx, account_id, file_id, **values)  # type: ignore[arg-type]


def test_a_file_belongs_to_the_account_that_registered_it(store: Store, alice: Person) -> None:
    bob = add_account(store, "bob").id
    register(store, alice.id, "file-1", size_bytes=7)
    register(store, alice.id, "file-1")
    with pytest.raises(NoSuchItem):
        register(store, bob, "file-1")
    assert store.relay_files.is_known("file-1")
    assert not store.relay_files.is_known("file-2")
    with store.database.write() as tx:
        assert store.relay_files.read(tx, alice.id, "file-1").size_bytes == 7
        for act in (store.relay_files.read, store.relay_files.forget):
            with pytest.raises(NoSuchItem):
                act(tx, bob, "file-1")
        store.relay_files.forget(tx, alice.id, "file-1")
    assert not store.relay_files.is_known("file-1")


def test_pages_go_on_behind_a_file_in_both_directions(store: Store, alice: Person, clock: StillClock) -> None:
    for number in range(3):
        register(store, alice.id, f"file-{number}", purpose="batch" if number else "other")
        clock.advance(seconds=number)
    assert names(store, alice.id) == ["file-2", "file-1", "file-0"]
    assert names(store, alice.id, after="file-2") == ["file-1", "file-0"]
    assert names(store, alice.id, ascending=True, after="file-0") == ["file-1", "file-2"]
    assert names(store, alice.id, purpose="other") == ["file-0"]
    assert names(store, alice.id, limit=1) == ["file-2"]


def test_uploads_are_limited_and_outputs_of_batches_are_not(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_files, "MAX_FILES", 1)
    register(store, alice.id, "file-1")
    with pytest.raises(LimitReached, match="at most 1 files"):
        register(store, alice.id, "file-2")
    register(store, alice.id, "file-3", task_id="batch_1")
    assert names(store, alice.id, ascending=True) == ["file-1", "file-3"]
