"""The key check value: a MAC in the database that ties it to its key ring."""

import hmac
from typing import Final

from sqlalchemy import Connection, delete, exists, insert, select

from store.at_rest import KeyRing
from store.audit_macs import GENESIS, total_mac
from store.database import Database
from store.errors import KeyWrong
from store.models import Account, AuditEvent, AuditTotal, Meta, Provider, SiteEvent, SiteSetting, Tombstone
from store.upsert import upsert

_NAME: Final = "key_check"
_TABLES_IN_USE: Final = (Account, AuditEvent, SiteEvent, SiteSetting, Provider, Tombstone)
"""At least one of these tables has a row once a database was used."""


def check_ring(database: Database, ring: KeyRing) -> None:
    """Compare the key check value with `ring`, or store it in an unused database. Raises `KeyWrong`.

    A used database without a check value is refused too: with the value removed, any key would be accepted.
    """
    with database.read() as tx:
        stored = _stored(tx)
    if stored is None:
        with database.write() as tx:
            stored = _store_check_value(tx, ring)
    _compare(stored, ring)


def require_key(tx: Connection, ring: KeyRing) -> None:
    """Raise `KeyWrong` unless `ring` has the key of the database of `tx`."""
    _compare(_stored(tx) or b"", ring)


def check_value(ring: KeyRing, key_id: int) -> bytes:
    """The key check value of this key."""
    return ring.mac(_NAME, b"gatekey", key_id)


def is_used(tx: Connection) -> bool:
    """True if anything was ever stored in the database."""
    return any(tx.execute(select(exists(select(table)))).scalar_one() for table in _TABLES_IN_USE)


def replace_check_value(tx: Connection, ring: KeyRing) -> None:
    """Replace the key check value by that of the current key of `ring`."""
    upsert(tx, Meta, {"name": _NAME}, {"value": check_value(ring, ring.current)})


def _store_check_value(tx: Connection, ring: KeyRing) -> bytes:
    if is_used(tx):
        stored = _stored(tx)
        if stored is None:
            raise KeyWrong(
                "This database is in use, but what ties it to its key was removed. Restore it from a backup."
            )
        return stored
    # The first process stores the value; a concurrent one keeps it.
    value = check_value(ring, ring.oldest)
    upsert(tx, Meta, {"name": _NAME}, {"value": (value, Meta.c.value)})
    stored = tx.execute(select(Meta.c.value).where(Meta.c.name == _NAME)).scalar_one()
    if stored == value:
        _insert_total(tx, ring)
    return stored


def _insert_total(tx: Connection, ring: KeyRing) -> None:
    """Insert the total of an empty audit log. It is inserted here only: see `Audit.update_total`."""
    tx.execute(delete(AuditTotal))
    key_id = ring.current
    tx.execute(
        insert(AuditTotal).values(
            id=1,
            sequence=0,
            mac=GENESIS,
            events=0,
            seals=bytes(32),
            total_mac=total_mac(ring, key_id, 0, bytes(32), 0, GENESIS),
            key_id=key_id,
        )
    )


def _compare(stored: bytes, ring: KeyRing) -> None:
    ring = ring.snapshot()
    if not any(hmac.compare_digest(stored, check_value(ring, key_id)) for key_id in ring.keys):
        raise KeyWrong


def _stored(tx: Connection) -> bytes | None:
    stored: bytes | None = tx.execute(select(Meta.c.value).where(Meta.c.name == _NAME)).scalar()
    return stored
