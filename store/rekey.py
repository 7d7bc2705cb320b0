"""Online key rotation for all encrypted data. An interrupted run is resumed by the next one.

First the key file gets the new key beside the old one: running programs then decrypt with both and encrypt with the new
one. Next every encrypted value and every chain of the audit log is converted, in one transaction each. When nothing
depends on the old key, the key check value is replaced and the old key is removed from the file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, select, text

from store import audit_rekey, key_check, key_file
from store.at_rest import KEY_BYTES, KeyRing
from store.audit_tags import COMMAND_LINE, SiteTag
from store.errors import DatabaseBusy, KeyWrong
from store.models import Account, AuditHead, Throttle
from store.sealed_columns import sealed_columns
from store.sqlite_engine import BUSY_TIMEOUT_MS
from store.store import Store
from store.throttle import Factor
from store.upsert import upsert

WRITER_GRACE_S: Final = BUSY_TIMEOUT_MS / 1000 + 1
"""Seconds after which a transaction that encrypted a value under the old key has committed or failed."""

_BATCH_VALUES: Final = 50
_MAX_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Renewed:
    """The result. `unreadable` counts values that the old key cannot decrypt either; they are unchanged."""

    key_id: int
    values: int
    chains: int
    unreadable: int


def rekey(
    store: Store, path: Path, *, actor: str, wait: Callable[[float], None], say: Callable[[str], None]
) -> Renewed:
    """Rotate the key of `store` in the key file at `path`, or resume an interrupted rotation.

    `wait` sleeps the given seconds, `say` prints progress. `store` must read its keys from the same file. Raises
    `KeyMissing`, `KeyWrong`, `KeyExposed`, `DatabaseBusy` during another rotation, and the database's errors. After an
    error the next run resumes.
    """
    with key_file.lock_key_file(path):
        ring = _ring_with_new_key(store, path)
        old = tuple(sorted(key_id for key_id in ring.keys if key_id != ring.current))
        say(f"New values are sealed under key {ring.current}. Key {_listed(old)} stays in {path} until all is done.")
        values, unreadable = _reseal(store, ring)
        chains = _renew_log(store, ring)
        wait(WRITER_GRACE_S)
        for _ in range(_MAX_ROUNDS):
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
                tx.execute(delete(Throttle).where(Throttle.c.bucket == bucket))
        return Renewed(ring.current, values, chains, unreadable)


def _ring_with_new_key(store: Store, path: Path) -> KeyRing:
    """The ring in the file, after a new key was added unless a rotation had begun."""
    ring = key_file.load_key_file(path)
    key_check.check_ring(store.database, ring)
    if len(ring.keys) > 1:
        return ring
    key_id = ring.current % 255 + 1
    ring = KeyRing(key_id, {**ring.keys, key_id: store.context.rng.randbytes(KEY_BYTES)})
    key_file.replace_key_file(path, ring)
    return ring


def _reseal(store: Store, ring: KeyRing) -> tuple[int, int]:
    """Encrypt values of other keys again; returns the number of converted and of unreadable values."""
    done, unreadable = 0, 0
    for column in sealed_columns():
        with store.database.read() as tx:
            outdated = iter([row for row in column.values(tx) if row[1][:1] != bytes([ring.current])])
        while part := list(islice(outdated, _BATCH_VALUES)):
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
    """Convert the audit log to the current key; returns the number of converted chains."""
    with store.database.read() as tx:
        accounts, is_site = audit_rekey.outdated(tx, ring), audit_rekey.is_site_outdated(tx, ring)
    for account_id in accounts:
        with store.database.write() as tx:
            audit_rekey.renew_chain(tx, ring, store.audit, account_id)
    if is_site:
        with store.database.write() as tx:
            audit_rekey.renew_site(tx, ring)
    return len(accounts) + is_site


def _finish(store: Store, ring: KeyRing, unreadable: int, actor: str) -> bool:
    """Replace the key check value if no value depends on another key. True if it was replaced."""
    with store.database.write() as tx:
        _block_writers(tx)
        left = sum(_count(column.values(tx), ring) for column in sealed_columns())
        if left > unreadable or audit_rekey.outdated(tx, ring) or audit_rekey.is_site_outdated(tx, ring):
            return False
        _copy_throttles(store, tx, ring)
        key_check.replace_check_value(tx, ring)
        store.audit.record_site(tx, SiteTag.KEY_RENEWED, actor=actor, source=COMMAND_LINE, key_id=ring.current)
    return True


def _throttles(store: Store, tx: Connection, ring: KeyRing) -> list[tuple[Any, str]]:
    """The throttle rows whose names are hashed under the oldest key, each with its bucket under the current key."""
    rows = {row.bucket: row for row in tx.execute(select(Throttle))}
    names = tx.execute(select(Account.c.name)).scalars().all()
    found = []
    for factor in Factor:
        for name in names:
            old = rows.get(store.throttles.bucket(factor, name, key_id=ring.oldest))
            if old is not None:
                found.append((old, store.throttles.bucket(factor, name, key_id=ring.current)))
    return found


def _copy_throttles(store: Store, tx: Connection, ring: KeyRing) -> None:
    """Copy every lock to the current key. Running programs use the oldest key until it is removed from the file."""
    for old, bucket in _throttles(store, tx, ring):
        values = {"failures": old.failures, "locked_until": old.locked_until, "updated_at": old.updated_at}
        upsert(tx, Throttle, {"bucket": bucket}, values)


def _block_writers(tx: Connection) -> None:
    """Wait for open transactions that write encrypted values or chains, and block new ones until `tx` ends.

    On PostgreSQL `tx` cannot see rows of an open transaction, which may last longer than `WRITER_GRACE_S`. Raises
    `DatabaseBusy` after the lock timeout.
    """
    if tx.dialect.name != "postgresql":
        return
    tables = sorted({column.table.name for column in sealed_columns()} | {AuditHead.name})
    tx.execute(text(f"LOCK TABLE {', '.join(tables)} IN SHARE MODE"))


def _count(rows: list[Any], ring: KeyRing) -> int:
    return sum(row[1][:1] != bytes([ring.current]) for row in rows)


def _listed(key_ids: tuple[int, ...]) -> str:
    return ", ".join(str(key_id) for key_id in key_ids)
