"""The audit log: one event per act on an account or the site, recorded in the transaction of the act.

The events of an account form a chain: the MAC of an event covers the previous MAC, so an altered, removed or inserted
event breaks the chain. The end of each chain has a seal, and one total covers the seals of all chains, so a chain
cannot be reset to an earlier end either. `store.audit_check` verifies all that.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, select, update

from store import audit_check
from store.audit_macs import (
    GENESIS,
    SITE_CHAIN,
    EventBody,
    event_mac,
    event_text,
    seal_of,
    seal_sum,
    total_fits,
    total_mac,
)
from store.audit_tags import SiteTag, Tag
from store.context import Context
from store.models import AuditEvent, AuditHead, AuditTotal, SiteEvent
from store.text import sanitize
from store.values.audit import EVERY_EVENT, Event, EventFilter

# Every act runs these. Building a statement takes SQLAlchemy eight times as long as running it, so they are built once.
_NEXT: Final = (
    update(AuditHead)
    .where(AuditHead.c.account_id == bindparam("account"))
    .values(sequence=AuditHead.c.sequence + 1)
    .returning(AuditHead.c.sequence, AuditHead.c.mac, AuditHead.c.seal, AuditHead.c.key_id)
)
_APPEND: Final = insert(AuditEvent)
_CHAIN: Final = (
    update(AuditHead)
    .where(AuditHead.c.account_id == bindparam("account"))
    .values(mac=bindparam("new_mac"), seal=bindparam("new_seal"))
)
_SEALS: Final = select(AuditHead.c.seal).where(AuditHead.c.account_id.in_(bindparam("accounts", expanding=True)))
_HOLD_TOTAL: Final = (
    update(AuditTotal)
    .values(events=AuditTotal.c.events + bindparam("more"))
    .returning(
        AuditTotal.c.events,
        AuditTotal.c.seals,
        AuditTotal.c.sequence,
        AuditTotal.c.mac,
        AuditTotal.c.total_mac,
        AuditTotal.c.key_id,
    )
)
_SET_TOTAL: Final = update(AuditTotal)
NEWEST_EVENTS: Final = 200
"""Events that a search reads at most, through the index on account and sequence number."""
_NEWEST: Final = (
    select(AuditEvent.c.at, AuditEvent.c.tag, AuditEvent.c.detail)
    .where(AuditEvent.c.account_id == bindparam("account"))
    .order_by(AuditEvent.c.sequence.desc())
    .limit(NEWEST_EVENTS)
)
_BROKEN: Final = b""
"""Replaces the MAC of a total that was not valid."""


class Actor(Protocol):
    """The session behind an act, such as `AuthorizedSession`."""

    @property
    def account_id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...


@dataclass(slots=True)
class _UnboundEvents:
    """The events of one transaction that are not in the total yet."""

    seals: dict[int, bytes] = field(default_factory=dict)
    """The seal of each chain before the transaction, by account id."""
    events: int = 0
    site: list[EventBody] = field(default_factory=list)


class Audit:
    """Appends events to the audit log, and reads it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pending: WeakKeyDictionary[Connection, _UnboundEvents] = WeakKeyDictionary()

    def record(
        self,
        tx: Connection,
        account_id: int,
        tag: Tag,
        *,
        actor: str,
        source: str,
        **detail: str | int | bool,
    ) -> None:
        """Append one event to an account's chain inside `tx`, the transaction of the act.

        `actor` and `source` are sanitized.
        """
        ring = self._context.ring
        # The UPDATE locks the head's row first, so concurrent events of one account are serialized.
        head = tx.execute(_NEXT, {"account": account_id}).one_or_none()
        sequence, previous, key_id = (head.sequence, head.mac, head.key_id) if head else (1, GENESIS, ring.current)
        act = self._act(tag.value, actor, source, detail)
        mac = event_mac(ring, key_id, previous, event_text(account_id, sequence, act))
        # A chain that was reset has an invalid seal. A new valid seal would hide that.
        fits = head is None or hmac.compare_digest(head.seal, seal_of(ring, key_id, account_id, sequence - 1, previous))
        seal = seal_of(ring, key_id, account_id, sequence, mac) if fits else b""
        tx.execute(_APPEND, {"account_id": account_id, "sequence": sequence, "mac": mac, **_columns(act)})
        if head:
            tx.execute(_CHAIN, {"account": account_id, "new_mac": mac, "new_seal": seal})
        else:
            tx.execute(insert(AuditHead).values(account_id=account_id, sequence=1, mac=mac, seal=seal, key_id=key_id))
        pending = self._pending_of(tx)
        pending.seals.setdefault(account_id, head.seal if head else b"")
        pending.events += 1

    def record_by(self, tx: Connection, session: Actor, tag: Tag, **detail: str | int | bool) -> None:
        """Append one event to the chain of the session's account, with the session as actor and source."""
        self.record(tx, session.account_id, tag, actor=session.name, source=session.source, **detail)

    def record_site(self, tx: Connection, tag: SiteTag, *, actor: str, source: str, **detail: str | int | bool) -> None:
        """Append one event to the site's chain, just before `tx` commits.

        It is used for acts on the site, and for events that are kept after their account. `actor`, `source` and text in
        `detail` are sanitized. Do not use it inside a savepoint, whose rollback would not remove the event.
        """
        shown = {name: sanitize(value, 500) if isinstance(value, str) else value for name, value in detail.items()}
        pending = self._pending_of(tx)
        pending.site.append(self._act(tag.value, actor, source, shown))
        pending.events += 1

    def record_deletion(self, tx: Connection, account_id: int, *, actor: str, source: str, tombstone: str) -> None:
        """Remove the chain of an account from the total before `tx` deletes it, and append a site event.

        The event has the id of the account only, so no personal data stays.
        """
        head = tx.execute(
            select(AuditHead.c.sequence, AuditHead.c.seal).where(AuditHead.c.account_id == account_id).with_for_update()
        ).one_or_none()
        self._pending_of(tx).seals.setdefault(account_id, head.seal if head else b"")
        self.record_site(
            tx,
            SiteTag.ACCOUNT_DELETED,
            actor=actor,
            source=source,
            account_id=account_id,
            tombstone=tombstone,
            events=head.sequence if head else 0,
        )

    def note_seal(self, tx: Connection, account_id: int, before: bytes) -> None:
        """Update the total for a chain that `tx` seals again; `before` is its previous seal."""
        self._pending_of(tx).seals.setdefault(account_id, before)

    def update_total(self, tx: Connection) -> None:
        """Update the total with the events of `tx`. Called before each commit (`Database.before_commit`).

        The row of the total is shared by all chains and locked last, so that acts on different accounts wait for each
        other only during the commit and cannot deadlock.
        """
        pending = self._pending.pop(tx, None)
        if pending is None:
            return
        ring = self._context.ring
        total = tx.execute(_HOLD_TOTAL, {"more": pending.events}).one_or_none()
        sequence, mac, key_id = (total.sequence, total.mac, total.key_id) if total else (*_last(tx), ring.current)
        for act in pending.site:
            sequence += 1
            mac = event_mac(ring, key_id, mac, event_text(SITE_CHAIN, sequence, act))
            tx.execute(insert(SiteEvent), {"sequence": sequence, "mac": mac, **_columns(act)})
        if total is None:
            return  # The row was removed. A new one would hide that; the check reports a missing one.
        seals = total.seals
        if pending.seals:
            now = tx.execute(_SEALS, {"accounts": list(pending.seals)}).scalars().all()
            seals = seal_sum(seals, gone=pending.seals.values(), new=now)
        # An altered total stays invalid: a new MAC would authenticate the altered values.
        was = (total.events - pending.events, total.seals, total.sequence, total.mac)
        fits = total_fits(ring, key_id, *was, total.total_mac)
        bound = total_mac(ring, key_id, total.events, seals, sequence, mac) if fits else _BROKEN
        tx.execute(_SET_TOTAL, {"sequence": sequence, "mac": mac, "seals": seals, "total_mac": bound})

    def page(
        self,
        tx: Connection,
        account_id: int,
        *,
        before: int | None = None,
        limit: int = 50,
        only: EventFilter = EVERY_EVENT,
    ) -> list[Event]:
        """The newest events of an account, at most `limit`, older than sequence number `before`."""
        query = select(AuditEvent).where(AuditEvent.c.account_id == account_id, *_conditions(only))
        if before is not None:
            query = query.where(AuditEvent.c.sequence < before)
        return _events(tx.execute(query.order_by(AuditEvent.c.sequence.desc()).limit(limit)))

    def failed_sign_ins(self, tx: Connection, account_id: int, *, since: datetime) -> int:
        """The number of failed sign-ins from `since` on, among the newest `NEWEST_EVENTS` events of an account."""
        newest = (
            select(AuditEvent.c.tag, AuditEvent.c.at)
            .where(AuditEvent.c.account_id == account_id)
            .order_by(AuditEvent.c.sequence.desc())
            .limit(NEWEST_EVENTS)
            .subquery()
        )
        failed = select(func.count()).where(newest.c.tag == Tag.SIGN_IN_FAILED.value, newest.c.at >= since)
        return int(tx.execute(failed).scalar_one())

    def last_save(self, tx: Connection, account_id: int, section: str) -> datetime | None:
        """The time of the last save of a section among the newest events; None if it is not among them."""
        newest = tx.execute(_NEWEST, {"account": account_id}).all()
        saves = (row for row in newest if row.tag == Tag.SETTINGS_SAVED.value and row.detail.get("section") == section)
        return next((row.at for row in saves), None)

    def site_page(self, tx: Connection, *, before: int | None = None, limit: int = 50) -> list[Event]:
        """The newest events of the site, at most `limit`, older than sequence number `before`."""
        query = select(SiteEvent)
        if before is not None:
            query = query.where(SiteEvent.c.sequence < before)
        return _events(tx.execute(query.order_by(SiteEvent.c.sequence.desc()).limit(limit)))

    def newest_at(self) -> datetime | None:
        """The time of the newest event of any account, or None without events."""
        with self._context.database.read() as tx:
            return tx.execute(select(AuditEvent.c.at).order_by(AuditEvent.c.id.desc()).limit(1)).scalar()

    def verify(self, tx: Connection, account_id: int) -> int | None:
        """The sequence number of the first invalid event of an account, or None."""
        return audit_check.account_chain(tx, self._context.ring, account_id).broken_at

    def verify_all(self, tx: Connection) -> audit_check.Report:
        """Verify every chain and the total, as `tx` reads them."""
        return audit_check.check_all(tx, self._context.ring)

    def _pending_of(self, tx: Connection) -> _UnboundEvents:
        pending = self._pending.get(tx)
        if pending is None:
            pending = self._pending[tx] = _UnboundEvents()
        return pending

    def _act(self, tag: str, actor: str, source: str, detail: Mapping[str, object]) -> EventBody:
        return EventBody(self._context.now(), tag, sanitize(actor, 200), sanitize(source, 200), detail)


def _conditions(only: EventFilter) -> Iterator[ColumnElement[bool]]:
    if only.tags is not None:
        yield AuditEvent.c.tag.in_(sorted(only.tags))
    if only.since is not None:
        yield AuditEvent.c.at >= only.since
    if only.until is not None:
        yield AuditEvent.c.at < only.until
    for words in only.sources:
        yield func.lower(AuditEvent.c.source).contains(words.lower(), autoescape=True)


def _columns(act: EventBody) -> dict[str, Any]:
    return {"at": act.at, "tag": act.tag, "actor": act.actor, "source": act.source, "detail": act.detail}


def _events(rows: Any) -> list[Event]:
    return [Event(row.sequence, row.at, row.tag, row.actor, row.source, row.detail) for row in rows]


def _last(tx: Connection) -> tuple[int, bytes]:
    """The sequence number and MAC of the last site event."""
    last = tx.execute(select(SiteEvent.c.sequence, SiteEvent.c.mac).order_by(SiteEvent.c.sequence.desc()).limit(1))
    row = last.one_or_none()
    return (row.sequence, row.mac) if row else (0, GENESIS)
