"""Queries about deliveries of the outbox: their state, and the next one that is due."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from store.context import Context
from store.db_enums import db_enum
from store.errors import InvalidNumber
from store.models import Delivery, OutboxMessage
from store.sections import Channel
from store.sessions import Sessions
from store.values.notifications import DeliveryPage, DeliveryState, LastDelivery, LoggedDelivery

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 500


class Deliveries:
    """Reads the state of deliveries."""

    def __init__(self, context: Context, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions

    def find(self, delivery_id: int) -> LastDelivery | None:
        """The state of one delivery, or None if it was deleted with its account."""
        with self._context.database.read() as tx:
            row = tx.execute(
                select(Delivery, OutboxMessage.c.kind, OutboxMessage.c.created_at)
                .join(OutboxMessage, OutboxMessage.c.id == Delivery.c.outbox_id)
                .where(Delivery.c.id == delivery_id)
            ).one_or_none()
        return None if row is None else _last(row)

    def last_deliveries(self, token: str) -> dict[Channel, LastDelivery]:
        """The newest delivery of the session's account on each channel that had one."""
        with self._sessions.reading(token) as (tx, session):
            newest = (
                select(func.max(Delivery.c.id))
                .where(Delivery.c.account_id == session.account_id)
                .group_by(Delivery.c.channel)
            )
            rows = tx.execute(
                select(Delivery, OutboxMessage.c.kind, OutboxMessage.c.created_at)
                .join(OutboxMessage, OutboxMessage.c.id == Delivery.c.outbox_id)
                .where(Delivery.c.id.in_(newest))
            ).all()
        return {db_enum(Channel, row.channel): _last(row) for row in rows}

    def page_of(
        self, tx: Connection, account_id: int, *, before: int | None = None, limit: int = PAGE_SIZE
    ) -> DeliveryPage:
        """The deliveries of an account with an id below `before`, newest first, inside `tx`. Raises `InvalidNumber`."""
        if not 1 <= limit <= MAX_PAGE_SIZE:
            raise InvalidNumber(f"A page has 1 to {MAX_PAGE_SIZE} deliveries.", field="limit")
        query = (
            select(Delivery, OutboxMessage.c.kind, OutboxMessage.c.created_at)
            .join(OutboxMessage, OutboxMessage.c.id == Delivery.c.outbox_id)
            .where(Delivery.c.account_id == account_id)
        )
        if before is not None:
            query = query.where(Delivery.c.id < before)
        rows = tx.execute(query.order_by(Delivery.c.id.desc()).limit(limit + 1)).all()
        deliveries = tuple(_logged(row) for row in rows[:limit])
        return DeliveryPage(deliveries, deliveries[-1].id if len(rows) > limit else None)

    def next_due(self) -> datetime | None:
        """The time of the next due delivery, or None without one."""
        with self._context.database.read() as tx:
            return tx.execute(
                select(func.min(Delivery.c.next_attempt_at)).where(Delivery.c.state == DeliveryState.WAITING.value)
            ).scalar()

    def is_anything_due(self) -> bool:
        """True if a delivery is due now. A damaged row does not make this fail."""
        due = select(Delivery.c.id).where(
            Delivery.c.state == DeliveryState.WAITING.value, Delivery.c.next_attempt_at <= self._context.now()
        )
        with self._context.database.read() as tx:
            return tx.execute(due.limit(1)).scalar() is not None

    def count_waiting(self) -> int:
        """The number of deliveries that are due now or later."""
        with self._context.database.read() as tx:
            return tx.execute(
                select(func.count()).select_from(Delivery).where(Delivery.c.state == DeliveryState.WAITING.value)
            ).scalar_one()

    def count_damaged(self) -> int:
        """The number of unreadable deliveries."""
        with self._context.database.read() as tx:
            return tx.execute(
                select(func.count()).select_from(Delivery).where(Delivery.c.state == DeliveryState.DAMAGED.value)
            ).scalar_one()


def _logged(row: Any) -> LoggedDelivery:
    return LoggedDelivery(
        id=row.id,
        channel=db_enum(Channel, row.channel),
        kind=row.kind,
        state=db_enum(DeliveryState, row.state),
        created_at=row.created_at,
        last_attempt_at=row.last_attempt_at,
        attempts=row.attempts,
        error=row.last_error,
    )


def _last(row: Any) -> LastDelivery:
    state = db_enum(DeliveryState, row.state)
    return LastDelivery(
        channel=db_enum(Channel, row.channel),
        kind=row.kind,
        state=state,
        at=row.last_attempt_at or row.created_at,
        attempts=row.attempts,
        error=row.last_error,
        next_attempt_at=row.next_attempt_at if state is DeliveryState.WAITING else None,
    )
