"""The usage log and the quota of an account, as its owner reads them."""

from store.store import Store
from store.values.usage import UsageEntry
from tests.harness.stores import sign_in


def entries_of(store: Store, name: str = "alice") -> list[UsageEntry]:
    """The lines of the log, the last one first."""
    return [logged.entry for logged in store.usage.page(sign_in(store, name)).entries]


def entry_of(store: Store) -> UsageEntry:
    """The one line of the log, of a call that holds nothing any more."""
    used_of(store)
    (entry,) = entries_of(store)
    return entry


def used_of(store: Store) -> int:
    """The micro-USD that were spent; nothing is held any more."""
    state = store.quota.state(sign_in(store))
    assert state.held_micro_usd == 0
    return state.used_micro_usd
