"""Which keys a database belongs to: a value that only the right key makes, kept from the first start on."""

import hmac
from typing import Final

from sqlalchemy import Connection, delete, exists, insert, select

from store.at_rest import KeyRing
from store.audit_macs import FIRST, total_mac
from store.database import Database
from store.errors import KeyWrong
from store.models import Account, AuditEvent, AuditTotal, Meta, Provider, SiteEvent, SiteSetting, Tombstone
from store.upsert import upsert

_NAME: Final = "key_check"
_TRACES: Final = (Account, AuditEvent, SiteEvent, SiteSetting, Provider, Tombstone)
"""Tables of which one at least has a row once a database was used."""


def check_ring(database: Database, ring: KeyRing) -> None:
    """Tie the key ring to a database that was never used, or refuse one that is not tied to it. Raises `KeyWrong`.

    A database in use that is tied to no key is refused too: somebody removed the tie, and would have the next key
    taken for the right one.
    """
    with database.read() as tx:
        stored = _stored(tx)
    if stored is None:
        with database.write() as tx:
            stored = _tie(tx, ring)
    _compare(stored, ring)


def require(tx: Connection, ring: KeyRing) -> None:
    """Refuse a ring that is not the one `tx`'s database is tied to. Raises `KeyWrong`."""
    _compare(_stored(tx) or b"", ring)


def value_for(ring: KeyRing, key_id: int) -> bytes:
    """What a database keeps that belongs to this key."""
    return ring.mac(_NAME, b"gatekey", key_id)


def is_used(tx: Connection) -> bool:
    """Whether anything was ever stored in the database."""
    return any(tx.execute(select(exists(select(table)))).scalar_one() for table in _TRACES)


def retie(tx: Connection, ring: KeyRing) -> None:
    """Tie the database to the current key of `ring`."""
    upsert(tx, Meta, {"name": _NAME}, {"value": value_for(ring, ring.current)})


def _tie(tx: Connection, ring: KeyRing) -> bytes:
    if is_used(tx):
        stored = _stored(tx)
        if stored is None:
            raise KeyWrong(
                "This database is in use, but what ties it to its key was removed. Restore it from a backup."
            )
        return stored
    # Whoever opens it first ties it; anyone else keeps that.
    value = value_for(ring, ring.oldest)
    upsert(tx, Meta, {"name": _NAME}, {"value": (value, Meta.value)})
    stored = tx.execute(select(Meta.value).where(Meta.name == _NAME)).scalar_one()
    if stored == value:
        _begin_log(tx, ring)
    return stored


def _begin_log(tx: Connection, ring: KeyRing) -> None:
    """The total of an audit log without an event. It is made here and never again: see `Audit.bind`."""
    tx.execute(delete(AuditTotal))
    key_id = ring.current
    tx.execute(
        insert(AuditTotal).values(
            id=1,
            sequence=0,
            mac=FIRST,
            events=0,
            seals=bytes(32),
            total_mac=total_mac(ring, key_id, 0, bytes(32), 0, FIRST),
            key_id=key_id,
        )
    )


def _compare(stored: bytes, ring: KeyRing) -> None:
    ring = ring.snapshot()
    if not any(hmac.compare_digest(stored, value_for(ring, key_id)) for key_id in ring.keys):
        raise KeyWrong


def _stored(tx: Connection) -> bytes | None:
    stored: bytes | None = tx.execute(select(Meta.value).where(Meta.name == _NAME)).scalar()
    return stored
