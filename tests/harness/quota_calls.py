"""A relayed call's effect on the quota, by the functions that the gateway calls."""

from typing import Final, TypeVar

from sqlalchemy import Connection, func, select

from store.models import Reservation
from store.reservations import Hold
from store.shortcut import Shortcut, take_shortcuts
from store.store import Store
from store.values.usage import Kind, UsageEntry

T = TypeVar("T")
CALL: Final = UsageEntry(Kind.CONSUMPTION, "model")


def hold_quota(store: Store, account_id: int, micro_usd: int, *, api_key_id: int | None = None) -> Hold:
    """Hold `micro_usd` for one call, as admission does. Raises what `Quotas.hold` raises."""
    if store.database.is_postgresql and api_key_id is not None:
        shortcut = store.quota.shortcuts.hold(account_id, micro_usd, api_key_id=api_key_id)
        if (hold := taken(store, shortcut, durable=False)) is not None:
            return hold
    with store.database.write() as tx:
        return store.quota.hold(tx, account_id, micro_usd, api_key_id=api_key_id)


def book_call(store: Store, hold: Hold, cost_micro_usd: int, entry: UsageEntry = CALL) -> int:
    """Book a call, as the ledger does; returns what was taken. Raises what `Quotas.book` raises."""
    if store.database.is_postgresql:
        shortcut = store.quota.shortcuts.book(hold, cost_micro_usd, entry)
        if (cost := taken(store, shortcut)) is not None:
            return cost
    with store.database.write() as tx:
        return store.quota.book(tx, hold, cost_micro_usd, entry)


def taken(store: Store, shortcut: Shortcut[T], *, durable: bool = True) -> T | None:
    """The result of a shortcut, or None if it did nothing."""
    (row,) = take_shortcuts(store.database, [shortcut], durable=durable)
    return None if row is None else shortcut.result(row)


def spend_quota(store: Store, account_id: int, micro_usd: int) -> None:
    """Hold and book one call of this cost in one transaction. Raises what `Quotas.hold` raises."""
    with store.database.write() as tx:
        hold = store.quota.hold(tx, account_id, micro_usd)
        store.quota.book(tx, hold, micro_usd, CALL)


def count_open_reservations(tx: Connection, account_id: int) -> int:
    """The number of the account's calls that are held and not booked."""
    is_open = (Reservation.c.account_id == account_id, Reservation.c.settled_at.is_(None))
    return tx.execute(select(func.count()).where(*is_open)).scalar_one()
