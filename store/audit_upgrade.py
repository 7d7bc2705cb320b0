"""Seals for the audit log of a database from before seals, set once during its upgrade."""

from sqlalchemy import Connection, insert, select, update

from store.at_rest import KeyRing
from store.audit_check import is_chain_valid
from store.audit_macs import GENESIS, seal_of, seal_sum, total_mac
from store.key_check import require_key
from store.models import AuditHead, AuditTotal


def seal_log(tx: Connection, ring: KeyRing) -> None:
    """Seal the end of every valid chain, and insert the total over all seals.

    A broken chain gets no seal, so the check of the log still reports it. Raises `KeyWrong` for the key of another
    database.
    """
    require_key(tx, ring)
    seals, events, key_id = bytes(32), 0, ring.oldest
    for head in tx.execute(select(AuditHead).order_by(AuditHead.c.account_id)).all():
        seal = b""
        if is_chain_valid(tx, ring, key_id, head):
            seal = seal_of(ring, key_id, head.account_id, head.sequence, head.mac)
        tx.execute(update(AuditHead).where(AuditHead.c.account_id == head.account_id).values(seal=seal, key_id=key_id))
        seals = seal_sum(seals, gone=(), new=(seal,))
        events += head.sequence
    tx.execute(
        insert(AuditTotal).values(
            id=1,
            sequence=0,
            mac=GENESIS,
            events=events,
            seals=seals,
            total_mac=total_mac(ring, key_id, events, seals, 0, GENESIS),
            key_id=key_id,
        )
    )
