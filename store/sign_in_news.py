"""News for a person after a sign-in, from the audit log of the account."""

from typing import Final

from sqlalchemy import Connection, func, select

from store.audit_tags import Tag
from store.models import AuditEvent
from store.second_factor import BACKUP_CODE
from store.sessions import Sessions
from store.values.sign_in import PastSignIn, SignInNews

_BY_BACKUP_CODE: Final = f" and {BACKUP_CODE}"
"""The end of the method of a sign-in that used up a backup code."""


class SignInHistory:
    """Reads the sign-ins of an account."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def news(self, token: str) -> SignInNews:
        """The sign-in before the newest one, and the failed ones between them. Raises the session errors."""
        with self._sessions.reading(token) as (tx, session):
            query = select(AuditEvent.c.sequence, AuditEvent.c.at, AuditEvent.c.source, AuditEvent.c.detail).where(
                AuditEvent.c.account_id == session.account_id, AuditEvent.c.tag == Tag.SIGNED_IN.value
            )
            newest = tx.execute(query.order_by(AuditEvent.c.sequence.desc()).limit(2)).all()
            if not newest:
                return SignInNews(None, None)
            past = None
            if len(newest) == 2:
                failed = _failed(tx, session.account_id, newest[1].sequence, newest[0].sequence)
                past = PastSignIn(newest[1].at, newest[1].source, failed)
            left = None
            if newest[0].detail["method"].endswith(_BY_BACKUP_CODE):
                left = _codes_left(tx, session.account_id, newest[0].sequence)
            return SignInNews(past, left)


def _failed(tx: Connection, account_id: int, after: int, before: int) -> int:
    query = select(func.count()).where(
        AuditEvent.c.account_id == account_id,
        AuditEvent.c.tag == Tag.SIGN_IN_FAILED.value,
        AuditEvent.c.sequence > after,
        AuditEvent.c.sequence < before,
    )
    return tx.execute(query).scalar() or 0


def _codes_left(tx: Connection, account_id: int, before: int) -> int | None:
    """The unused backup codes after the last use of one before an event."""
    used = tx.execute(
        select(AuditEvent.c.detail)
        .where(
            AuditEvent.c.account_id == account_id,
            AuditEvent.c.tag == Tag.BACKUP_CODE_USED.value,
            AuditEvent.c.sequence < before,
        )
        .order_by(AuditEvent.c.sequence.desc())
        .limit(1)
    ).scalar()
    return int(used["left"]) if used else None
