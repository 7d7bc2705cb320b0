"""A new key for everything that is stored, while others go on, and resumed wherever it was stopped.

The key file gets the new key first, beside the old one, so whoever runs can open both and seals under the new one.
Then every value and every chain of the audit log passes over, each in a transaction of its own. Only when nothing is
left under the old key is the database tied to the new one and the old one taken out of the file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, select, text

from store import audit_renewal, key_check, key_file
from store.at_rest import KEY_BYTES, KeyRing
from store.audit import COMMAND_LINE, SiteTag
from store.database import BUSY_TIMEOUT_MS
from store.errors import DatabaseBusy, KeyWrong
from store.models import Account, AuditHead, Throttle
from store.sealed_columns import sealed_columns
from store.store import Store
from store.throttle import Factor
from store.upsert import upsert

GRACE: Final = BUSY_TIMEOUT_MS / 1000 + 1
"""Seconds in which a transaction that has sealed a value under the old key has committed or failed."""

_AT_ONCE: Final = 50
_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Renewed:
    """What was done. `unreadable` counts values that the old key did not open either; they are as they were."""

    key_id: int
    old_key_ids: tuple[int, ...]
    values: int
    chains: int
    unreadable: int


def rekey(
    store: Store, path: Path, *, actor: str, wait: Callable[[float], None], say: Callable[[str], None]
) -> Renewed:
    """Give the data of `store` a new key in the key file at `path`, or go on with what was begun.

    `wait` sleeps that many seconds. `store` must read its keys from the same file. Raises `KeyMissing`, `KeyWrong`,
    `KeyExposed`, `DatabaseBusy` if another does the same, and what the database raises; run again, it goes on.
    """
    with key_file.held(path):
        ring = _begun(store, path)
        old = tuple(sorted(key_id for key_id in ring.keys if key_id != ring.current))
        say(f"New values are sealed under key {ring.current}. Key {_listed(old)} stays in {path} until all is done.")
        values, unreadable = _reseal(store, ring)
        chains = _renew_log(store, ring)
        wait(GRACE)
        for _ in range(_ROUNDS):
            more, unreadable = _reseal(store, ring)
            values, chains = values + more, chains + _renew_log(store, ring)
            if _finish(store, ring, unreadable, actor):
                break
        else:
            raise DatabaseBusy("Values are still being written under the old key. Run this again; it goes on.")
        with store.database.read() as tx:
            outdated = [old.bucket for old, _ in _throttles(store, tx, ring)]
        key_file.replace_key_file(path, KeyRing(ring.current, {ring.current: ring.keys[ring.current]}))
        with store.database.write() as tx:
            for bucket in outdated:
                tx.execute(delete(Throttle).where(Throttle.bucket == bucket))
        return Renewed(ring.current, old, values, chains, unreadable)


def _begun(store: Store, path: Path) -> KeyRing:
    """The ring with a new key in it, which is in the file."""
    ring = key_file.load_key_file(path)
    key_check.check_ring(store.database, ring)
    if len(ring.keys) > 1:
        return ring
    key_id = ring.current % 255 + 1
    ring = KeyRing(key_id, {**ring.keys, key_id: store.context.rng.randbytes(KEY_BYTES)})
    key_file.replace_key_file(path, ring)
    return ring


def _reseal(store: Store, ring: KeyRing) -> tuple[int, int]:
    """Seal anew what is under another key; returns how many were, and how many could not be opened."""
    done, unreadable = 0, 0
    for column in sealed_columns():
        with store.database.read() as tx:
            outdated = iter([row for row in column.values(tx) if row[1][:1] != bytes([ring.current])])
        while part := list(islice(outdated, _AT_ONCE)):
            with store.database.write() as tx:
                for key, sealed, bound_to in part:
                    new = _resealed(store, ring, sealed, column.associated_data(bound_to))
                    if new is None:
                        unreadable += 1
                    else:
                        done += column.replace(tx, key, sealed, new)
    return done, unreadable


def _resealed(store: Store, ring: KeyRing, sealed: bytes, associated_data: str) -> bytes | None:
    try:
        return ring.seal(ring.open(sealed, associated_data), associated_data, store.context.rng)
    except KeyWrong:
        return None


def _renew_log(store: Store, ring: KeyRing) -> int:
    """Bring the audit log under the current key; returns how many chains were not."""
    with store.database.read() as tx:
        accounts, is_site = audit_renewal.outdated(tx, ring), audit_renewal.is_site_outdated(tx, ring)
    for account_id in accounts:
        with store.database.write() as tx:
            audit_renewal.renew_chain(tx, ring, store.audit, account_id)
    if is_site:
        with store.database.write() as tx:
            audit_renewal.renew_site(tx, ring)
    return len(accounts) + is_site


def _finish(store: Store, ring: KeyRing, unreadable: int, actor: str) -> bool:
    """Tie the database to the current key if nothing is left under another; returns whether it is."""
    with store.database.write() as tx:
        _await_writers(tx)
        left = sum(_count(column.values(tx), ring) for column in sealed_columns())
        if left > unreadable or audit_renewal.outdated(tx, ring) or audit_renewal.is_site_outdated(tx, ring):
            return False
        _copy_throttles(store, tx, ring)
        key_check.retie(tx, ring)
        store.audit.record_site(tx, SiteTag.KEY_RENEWED, actor=actor, source=COMMAND_LINE, key_id=ring.current)
    return True


def _throttles(store: Store, tx: Connection, ring: KeyRing) -> list[tuple[Any, str]]:
    """The rows of tries whose names are hashed under the oldest key, and the bucket of each under the current one."""
    rows = {row.bucket: row for row in tx.execute(select(Throttle))}
    names = tx.execute(select(Account.name)).scalars().all()
    found = []
    for factor in Factor:
        for name in names:
            old = rows.get(store.throttles.bucket(factor, name, key_id=ring.oldest))
            if old is not None:
                found.append((old, store.throttles.bucket(factor, name, key_id=ring.current)))
    return found


def _copy_throttles(store: Store, tx: Connection, ring: KeyRing) -> None:
    """Have every lock under both keys: a program looks under the oldest one until it is out of the file."""
    for old, bucket in _throttles(store, tx, ring):
        values = {"failures": old.failures, "locked_until": old.locked_until, "updated_at": old.updated_at}
        upsert(tx, Throttle, {"bucket": bucket}, values)


def _await_writers(tx: Connection) -> None:
    """Let whoever has written a sealed value or begun a chain commit first, and nobody write one until `tx` ends.

    PostgreSQL shows nothing of a transaction that is still open, and one may last longer than `GRACE`. Raises
    `DatabaseBusy` if it lasts longer than a lock is waited for.
    """
    if tx.dialect.name != "postgresql":
        return
    tables = sorted({column.table.__tablename__ for column in sealed_columns()} | {AuditHead.__tablename__})
    tx.execute(text(f"LOCK TABLE {', '.join(tables)} IN SHARE MODE"))


def _count(rows: list[Any], ring: KeyRing) -> int:
    return sum(row[1][:1] != bytes([ring.current]) for row in rows)


def _listed(key_ids: tuple[int, ...]) -> str:
    return ", ".join(str(key_id) for key_id in key_ids)
