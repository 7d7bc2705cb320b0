"""Verification of the audit log: each chain, and the total over the ends of all chains.

Without the key, an attacker with write access to the database cannot alter, remove, add or reorder an event, truncate a
chain, or restore an earlier end of one chain: the verification fails. It does not fail if the whole database is reset
to an earlier state; a checkpoint kept elsewhere shows that (`store.audit_checkpoint`).
"""

import hmac
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from store.at_rest import KeyRing
from store.audit_macs import (
    GENESIS,
    SITE_CHAIN,
    EventBody,
    chain_digest,
    event_mac,
    event_text,
    seal_of,
    seal_sum,
    total_fits,
)
from store.models import Account, AuditEvent, AuditHead, AuditTotal, SiteEvent


@dataclass(frozen=True, slots=True)
class Chain:
    """The result for one chain. `broken_at` is the number of the first invalid event, or None."""

    events: int
    digest: bytes
    """The SHA-256 hash, without a key, of all events up to the last valid one."""
    broken_at: int | None


class Report(NamedTuple):
    """The result for the log. `events` is the number ever recorded, None if the total is not valid."""

    accounts: dict[int, Chain]
    site: Chain
    is_bound: bool
    """True if the total matches the ends of all chains."""
    events: int | None

    @property
    def is_intact(self) -> bool:
        return self.is_bound and all(chain.broken_at is None for chain in (self.site, *self.accounts.values()))


def check_all(tx: Connection, ring: KeyRing) -> Report:
    """Verify the chains of all accounts, the site's chain, and the total. `tx` must read one snapshot."""
    ids = tx.execute(select(Account.c.id).order_by(Account.c.id)).scalars().all()
    total = tx.execute(select(AuditTotal)).one_or_none()
    seals = seal_sum(b"", gone=(), new=tx.execute(select(AuditHead.c.seal)).scalars())
    is_bound = total is not None and seals == total.seals and _is_genuine(ring, total)
    return Report(
        accounts={account_id: account_chain(tx, ring, account_id) for account_id in ids},
        site=site_chain(tx, ring),
        is_bound=is_bound,
        events=total.events if total is not None and is_bound else None,
    )


def is_chain_valid(tx: Connection, ring: KeyRing, key_id: int, head: Row[Any]) -> bool:
    """True if an account's events are valid and end as `head` says. The seal is not checked."""
    events = select(AuditEvent).where(AuditEvent.c.account_id == head.account_id).order_by(AuditEvent.c.sequence)
    chain, last = _walk(tx, ring, key_id, head.account_id, events)
    return chain.broken_at is None and (head.sequence, head.mac) == (chain.events, last)


def account_chain(tx: Connection, ring: KeyRing, account_id: int, *, up_to: int | None = None) -> Chain:
    """Verify the chain of one account. With `up_to`, only its first events and not its end."""
    head = tx.execute(select(AuditHead).where(AuditHead.c.account_id == account_id)).one_or_none()
    events = select(AuditEvent).where(AuditEvent.c.account_id == account_id).order_by(AuditEvent.c.sequence)
    key_id = ring.current if head is None else head.key_id
    chain, last = _walk(tx, ring, key_id, account_id, events.limit(up_to))
    if chain.broken_at is not None or up_to is not None:
        return chain
    # Every account has at least the event of its creation.
    if head is None or (head.sequence, head.mac) != (chain.events, last):
        return replace(chain, broken_at=chain.events + 1)
    fits = hmac.compare_digest(head.seal, seal_of(ring, key_id, account_id, chain.events, last))
    return chain if fits else replace(chain, broken_at=chain.events + 1)


def site_chain(tx: Connection, ring: KeyRing, *, up_to: int | None = None) -> Chain:
    """Verify the site's chain. With `up_to`, only its first events and not its end."""
    total = tx.execute(select(AuditTotal)).one_or_none()
    events = select(SiteEvent).order_by(SiteEvent.c.sequence)
    key_id = ring.current if total is None else total.key_id
    chain, last = _walk(tx, ring, key_id, SITE_CHAIN, events.limit(up_to))
    if chain.broken_at is not None or up_to is not None:
        return chain
    fits = total is not None and (total.sequence, total.mac) == (chain.events, last) and _is_genuine(ring, total)
    return chain if fits else replace(chain, broken_at=chain.events + 1)


def _walk(tx: Connection, ring: KeyRing, key_id: int, name: int | str, events: Select[Any]) -> tuple[Chain, bytes]:
    """The chain up to the first invalid event, and the MAC of the last valid one."""
    if key_id not in ring.keys:
        return Chain(0, GENESIS, 1), GENESIS
    mac, hashed, count = GENESIS, GENESIS, 0
    with tx.execute(events.execution_options(yield_per=1000)) as rows:
        for row in rows:
            text = event_text(name, count + 1, EventBody(row.at, row.tag, row.actor, row.source, row.detail))
            expected = event_mac(ring, key_id, mac, text)
            if row.sequence != count + 1 or not hmac.compare_digest(row.mac, expected):
                return Chain(count, hashed, count + 1), mac
            mac, hashed, count = expected, chain_digest(hashed, text), count + 1
    return Chain(count, hashed, None), mac


def _is_genuine(ring: KeyRing, total: Row[Any]) -> bool:
    return total_fits(ring, total.key_id, total.events, total.seals, total.sequence, total.mac, total.total_mac)
