"""Change of the audit log's key: valid chains get new MACs, and broken chains stay broken."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Connection, Table, bindparam, select, update

from store.at_rest import KeyRing
from store.audit import Audit
from store.audit_macs import GENESIS, SITE_CHAIN, EventBody, event_mac, event_text, seal_of, total_fits, total_mac
from store.models import AuditEvent, AuditHead, AuditTotal, SiteEvent


def outdated(tx: Connection, ring: KeyRing) -> list[int]:
    """The ids of accounts whose chains are not under the current key of `ring`."""
    return list(tx.execute(select(AuditHead.c.account_id).where(AuditHead.c.key_id != ring.current)).scalars())


def is_site_outdated(tx: Connection, ring: KeyRing) -> bool:
    return tx.execute(select(AuditTotal.c.id).where(AuditTotal.c.key_id != ring.current)).scalar() is not None


def renew_chain(tx: Connection, ring: KeyRing, audit: Audit, account_id: int) -> None:
    """Recompute the chain of one account under the current key of `ring`."""
    head = tx.execute(select(AuditHead).where(AuditHead.c.account_id == account_id).with_for_update()).one_or_none()
    if head is None or head.key_id not in ring.keys or head.key_id == ring.current:
        return
    events = tx.execute(
        select(AuditEvent).where(AuditEvent.c.account_id == account_id).order_by(AuditEvent.c.sequence)
    ).all()
    macs, last = _renewed(ring, head.key_id, account_id, events)
    _store(tx, AuditEvent, AuditEvent.c.id, [event.id for event in events], macs)
    mac, seal = head.mac, b""
    if len(macs) == len(events) == head.sequence and head.mac == last:
        mac = macs[-1] if macs else GENESIS
        if head.seal == seal_of(ring, head.key_id, account_id, head.sequence, head.mac):
            seal = seal_of(ring, ring.current, account_id, head.sequence, mac)
    tx.execute(
        update(AuditHead).where(AuditHead.c.account_id == account_id).values(mac=mac, seal=seal, key_id=ring.current)
    )
    audit.note_seal(tx, account_id, head.seal)


def renew_site(tx: Connection, ring: KeyRing) -> None:
    """Recompute the site's chain and the total under the current key of `ring`."""
    total = tx.execute(select(AuditTotal).with_for_update()).one_or_none()
    if total is None or total.key_id not in ring.keys or total.key_id == ring.current:
        return
    events = tx.execute(select(SiteEvent).order_by(SiteEvent.c.sequence)).all()
    macs, last = _renewed(ring, total.key_id, SITE_CHAIN, events)
    _store(tx, SiteEvent, SiteEvent.c.sequence, [event.sequence for event in events], macs)
    mac, bound = total.mac, b""
    if len(macs) == len(events) == total.sequence and total.mac == last:
        mac = macs[-1] if macs else GENESIS
        if total_fits(ring, total.key_id, total.events, total.seals, total.sequence, total.mac, total.total_mac):
            bound = total_mac(ring, ring.current, total.events, total.seals, total.sequence, mac)
    tx.execute(update(AuditTotal).values(mac=mac, total_mac=bound, key_id=ring.current))


def _store(tx: Connection, table: Table, key: Column[int], rows: list[int], macs: list[bytes]) -> None:
    """Store `macs`, one per row, in the first of `rows`; `key` is the column of the row's number."""
    if macs:
        tx.execute(
            update(table).where(key == bindparam("row")).values(mac=bindparam("new_mac")),
            [{"row": row, "new_mac": mac} for row, mac in zip(rows, macs, strict=False)],
        )


def _renewed(ring: KeyRing, key_id: int, name: int | str, events: Iterable[Any]) -> tuple[list[bytes], bytes]:
    """The new MACs of the events before the first invalid one, and the old MAC of the last valid one."""
    macs: list[bytes] = []
    old = new = GENESIS
    for event in events:
        text = event_text(name, len(macs) + 1, EventBody(event.at, event.tag, event.actor, event.source, event.detail))
        expected = event_mac(ring, key_id, old, text)
        if event.sequence != len(macs) + 1 or event.mac != expected:
            break
        old, new = expected, event_mac(ring, ring.current, new, text)
        macs.append(new)
    return macs, old
