"""What a person should know after a sign-in, from the audit log of the account."""

from typing import Final

from sqlalchemy import Connection, func, select

from store.audit_tags import Tag
from store.models import AuditEvent
from store.sessions import Sessions
from store.values.sign_in import PastSignIn, SignInNews

_EVENTS_OF_A_SIGN_IN: Final = 2
"""Events that the transaction of a sign-in records before the sign-in itself: a used code, and that few are left."""


class SignInHistory:
    """Reads the sign-ins of an account."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def news(self, token: str) -> SignInNews:
        """The sign-in before the newest one, and the failed ones between them. Raises the session errors."""
        with self._sessions.reading(token) as (tx, session):
            query = select(AuditEvent.c.sequence, AuditEvent.c.at, AuditEvent.c.source).where(
                AuditEvent.c.account_id == session.account_id, AuditEvent.c.tag == Tag.SIGNED_IN.value
            )
            newest = tx.execute(query.order_by(AuditEvent.c.sequence.desc()).limit(2)).all()
            if not newest:
                return SignInNews(None, None)
            past = None
            if len(newest) == 2:
                failed = _failed(tx, session.account_id, newest[1].sequence, newest[0].sequence)
                past = PastSignIn(newest[1].at, newest[1].source, failed)
            used = tx.execute(
                select(AuditEvent.c.detail)
                .where(
                    AuditEvent.c.account_id == session.account_id,
                    AuditEvent.c.tag == Tag.BACKUP_CODE_USED.value,
                    AuditEvent.c.sequence < newest[0].sequence,
                    AuditEvent.c.sequence >= newest[0].sequence - _EVENTS_OF_A_SIGN_IN,
                    AuditEvent.c.at == newest[0].at,
                )
                .order_by(AuditEvent.c.sequence.desc())
                .limit(1)
            ).scalar()
            return SignInNews(past, int(used["left"]) if used else None)


def _failed(tx: Connection, account_id: int, after: int, before: int) -> int:
    query = select(func.count()).where(
        AuditEvent.c.account_id == account_id,
        AuditEvent.c.tag == Tag.SIGN_IN_FAILED.value,
        AuditEvent.c.sequence > after,
        AuditEvent.c.sequence < before,
    )
    return tx.execute(query).scalar() or 0
