"""The drawer in tests."""

from typing import Final

from store.store import Store
from store.values.drawer import FetchPlace

PLACE: Final = FetchPlace("gateway.example.com", 2222, asks_password=False)


def fetch(store: Store, token: str, name: str) -> bytes:
    """The whole content of an item, read part by part."""
    claimed = store.drawer.claim(token, name)
    return b"".join(
        store.drawer.read(token, claimed, number, is_last_missing=number == claimed.parts - 1)
        for number in range(claimed.parts)
    )
