"""What was done to an account: one event per act, in the act's own transaction, chained by a keyed hash.

Each event's MAC covers the one before it, so an event that was altered, removed or slipped in breaks the chain
from there on, and `verify` names the place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from store.context import Context
from store.models import AuditEvent, AuditHead
from store.text import plain

_FIRST: Final = b""

# Every act runs these. To build one takes SQLAlchemy eight times as long as to run it, so they are built once.
_NEXT: Final = (
    update(AuditHead)
    .where(AuditHead.account_id == bindparam("account"))
    .values(sequence=AuditHead.sequence + 1)
    .returning(AuditHead.sequence, AuditHead.mac)
)
_APPEND: Final = insert(AuditEvent)
_CHAIN: Final = update(AuditHead).where(AuditHead.account_id == bindparam("account")).values(mac=bindparam("new_mac"))


class Tag(StrEnum):
    """What happened, as `subject:action`."""

    ACCOUNT_CREATED = "account:created"
    ACCOUNT_ROLE_CHANGED = "account:role-changed"
    ACCOUNT_EMAIL_CHANGED = "account:email-changed"
    SIGNED_IN = "sign-in:succeeded"
    SIGN_IN_FAILED = "sign-in:failed"
    SIGN_IN_LOCKED = "sign-in:locked"
    SIGNED_OUT = "session:ended"
    OTHERS_SIGNED_OUT = "session:others-ended"
    SESSION_LOCKED = "session:locked"
    PROVED = "session:proved"
    PROOF_FAILED = "session:proof-failed"
    PASSWORD_CHANGED = "password:changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password:reset"  # noqa: S105 - the name of an event
    TWO_FACTOR_ENABLED = "two-factor:enabled"
    TWO_FACTOR_DISABLED = "two-factor:disabled"
    BACKUP_CODE_USED = "backup-code:used"
    BACKUP_CODES_RENEWED = "backup-codes:renewed"
    ACCESS_TOKEN_GENERATED = "access-token:generated"  # noqa: S105 - the name of an event
    ACCESS_TOKEN_REVOKED = "access-token:revoked"  # noqa: S105 - the name of an event
    API_KEY_CREATED = "api-key:created"
    API_KEY_REVOKED = "api-key:revoked"
    PASSKEY_ADDED = "passkey:added"
    PASSKEY_RENAMED = "passkey:renamed"
    PASSKEY_REMOVED = "passkey:removed"
    PASSKEY_CLONED = "passkey:cloned"
    IDENTITY_BOUND = "identity:bound"
    IDENTITY_UNBOUND = "identity:unbound"
    SETTINGS_SAVED = "settings:saved"
    IPS_ERASED = "privacy:ips-erased"
    QUOTA_CHANGED = "quota:changed"
    FACTOR_RESET = "factor:reset"
    EXPORTED = "account:exported"


@dataclass(frozen=True, slots=True)
class Event:
    """One act. `detail` never holds a secret."""

    sequence: int
    at: datetime
    tag: str
    actor: str
    source: str
    detail: Mapping[str, object]


class Audit:
    def __init__(self, context: Context) -> None:
        self._context = context

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
        """Append one event inside `tx`: it stands or falls with the act it tells of.

        `actor` and `source` are kept as `store.text.plain` shows them.
        """
        # The UPDATE takes the head's row lock first, so two events of one account queue up behind each other.
        head = tx.execute(_NEXT, {"account": account_id}).one_or_none()
        sequence, previous = (head.sequence, head.mac) if head else (1, _FIRST)
        at, actor, source = self._context.now(), plain(actor, 200), plain(source, 200)
        mac = self._mac(previous, account_id, sequence, at, tag, actor, source, detail)
        event = {
            "account_id": account_id,
            "sequence": sequence,
            "at": at,
            "tag": tag.value,
            "actor": actor,
            "source": source,
            "detail": detail,
            "mac": mac,
        }
        tx.execute(_APPEND, event)
        if head:
            tx.execute(_CHAIN, {"account": account_id, "new_mac": mac})
        else:
            tx.execute(insert(AuditHead).values(account_id=account_id, sequence=1, mac=mac))

    def page(self, tx: Connection, account_id: int, *, before: int | None = None, limit: int = 50) -> list[Event]:
        """The newest events of an account, at most `limit`, older than sequence number `before`."""
        query = select(AuditEvent).where(AuditEvent.account_id == account_id)
        if before is not None:
            query = query.where(AuditEvent.sequence < before)
        rows = tx.execute(query.order_by(AuditEvent.sequence.desc()).limit(limit))
        return [Event(row.sequence, row.at, row.tag, row.actor, row.source, row.detail) for row in rows]

    def newest_at(self) -> datetime | None:
        """When the newest event of any account was recorded, or None before the first."""
        with self._context.database.read() as tx:
            return tx.execute(select(AuditEvent.at).order_by(AuditEvent.id.desc()).limit(1)).scalar()

    def verify(self, tx: Connection, account_id: int) -> int | None:
        """The sequence number of the first event that does not fit the chain, or None if all do."""
        previous, expected = _FIRST, 1
        rows = tx.execute(select(AuditEvent).where(AuditEvent.account_id == account_id).order_by(AuditEvent.sequence))
        for row in rows:
            mac = self._mac(previous, account_id, expected, row.at, row.tag, row.actor, row.source, row.detail)
            if row.sequence != expected or mac != row.mac:
                return expected
            previous, expected = row.mac, expected + 1
        head = tx.execute(select(AuditHead).where(AuditHead.account_id == account_id)).one_or_none()
        # Every account has at least the event of its creation.
        fits = head is not None and (head.sequence, head.mac) == (expected - 1, previous)
        return None if fits else expected

    def _mac(
        self,
        previous: bytes,
        account_id: int,
        sequence: int,
        at: datetime,
        tag: str,
        actor: str,
        source: str,
        detail: Mapping[str, object],
    ) -> bytes:
        fields = [account_id, sequence, at.isoformat(), str(tag), actor, source, dict(sorted(detail.items()))]
        return self._context.ring.mac("audit", previous + json.dumps(fields, ensure_ascii=True).encode())
