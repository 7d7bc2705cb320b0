"""The outbox: messages queued in the transaction of their event, delivered later, and retried.

A message has one row, and one delivery per channel. A worker leases deliveries by a conditional UPDATE, so two workers
never send the same one at the same time. The lease of a dead worker expires.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from store.clock import Uptime
from store.context import Context
from store.db_enums import db_enum
from store.email_confirmation import EmailConfirmations
from store.errors import DatabaseDamaged, InvalidSetting, KeyWrong
from store.models import Delivery, NotificationSettingsRow, OutboxMessage
from store.outbox_queue import CHANNEL_SWITCHES, enqueue, recipient_associated_data
from store.sections import Channel, settings_of_channel
from store.sessions import Sessions
from store.text import sanitize
from store.values.notifications import CONFIRM_EMAIL, DeliveryState

TEST: Final = "notification:test"
LEASE_DURATION: Final = timedelta(seconds=60)
LOCK_TIMEOUT_S: Final = 15.0
"""Seconds that a lease and its end wait for other writers. A delivery that cannot be noted would be sent again."""
MESSAGE_RETENTION: Final = timedelta(days=30)
DAMAGED_SENTENCE: Final = "The message could not be read, because it was damaged in the database. It was set aside."
_CHANNEL_ADDRESSES: Final = {
    channel: next(setting.column for setting in settings_of_channel(channel) if setting.is_address)
    for channel in Channel
}


@dataclass(frozen=True, slots=True)
class Job:
    """One delivery, leased to one worker until `leased_until`."""

    delivery_id: int
    lease: str
    account_id: int | None
    channel: Channel
    message_id: str
    kind: str
    payload: dict[str, Any] = field(repr=False)
    created_at: datetime
    attempts: int
    """Attempts made before this one."""
    recipient: str | None = field(repr=False)
    """The address of a message that does not go to the address in the settings."""


class Outbox:
    """Leases due deliveries, and stores their results."""

    def __init__(self, context: Context, sessions: Sessions, confirmations: EmailConfirmations) -> None:
        self._context = context
        self._sessions = sessions
        self._confirmations = confirmations

    def enqueue_test(self, token: str, channel: Channel) -> int:
        """Queue a test message on one channel, also on a disabled one; returns the delivery id.

        An unconfirmed e-mail address gets the message with the code instead. Raises `InvalidSetting` without an
        address, and `TooManyAttempts` after too many codes.
        """
        with self._sessions.writing(token) as (tx, session):
            row = tx.execute(
                select(NotificationSettingsRow).where(NotificationSettingsRow.c.account_id == session.account_id)
            ).one()
            own = session.email if channel is Channel.EMAIL else ""
            if not (getattr(row, _CHANNEL_ADDRESSES[channel]) or own):
                raise InvalidSetting("Save an address for this channel first.")
            if channel is Channel.EMAIL and not self._confirmations.is_confirmed(tx, session.account_id):
                return self._confirmations.send_code(tx, session.account_id)
            queued = enqueue(self._context, tx, session.account_id, TEST, {"name": session.name}, [channel])
            return queued.delivery_ids[0]

    def lease(self, limit: int = 10, *, delivery_id: int | None = None) -> list[Job]:
        """Lease up to `limit` due deliveries, oldest first; or one delivery by id, due or not.

        Unreadable deliveries are set aside, and others are leased in their place.
        """
        while True:
            lease = self._context.rng.randbytes(16).hex()
            ids = self._lease_due(lease, limit, delivery_id)
            jobs = [self._read_job(number, lease) for number in ids]
            readable = [job for job in jobs if job is not None]
            if readable or not ids or delivery_id is not None:
                return readable

    def _lease_due(self, lease: str, limit: int, delivery_id: int | None) -> list[int]:
        """Set `lease` on free deliveries; returns their ids, oldest first."""
        now, uptime = self._context.now(), self._context.clock.uptime()
        free = _is_free(now, uptime)
        due = select(Delivery.c.id).where(Delivery.c.state == DeliveryState.WAITING.value, free)
        due = due.where(Delivery.c.next_attempt_at <= now if delivery_id is None else Delivery.c.id == delivery_id)
        due = due.order_by(Delivery.c.next_attempt_at, Delivery.c.id).limit(limit).with_for_update(skip_locked=True)
        with self._context.database.write(lock_timeout_s=LOCK_TIMEOUT_S) as tx:
            ids = tx.execute(due).scalars().all()
            if not ids:
                return []
            taken = set(
                tx.execute(
                    update(Delivery)
                    .where(Delivery.c.id.in_(ids), Delivery.c.state == DeliveryState.WAITING.value, free)
                    .values(
                        lease=lease,
                        leased_until=now + LEASE_DURATION,
                        lease_boot=uptime.boot or None,
                        lease_uptime_ms=uptime.milliseconds,
                    )
                    .returning(Delivery.c.id)
                ).scalars()
            )
        return [number for number in ids if number in taken]

    def delivered(self, job: Job) -> bool:
        """Mark a job as delivered. False if another worker has the lease now."""
        return self._finish(job.delivery_id, job.lease, DeliveryState.DELIVERED, "", None)

    def failed(self, job: Job, error: str, next_attempt_at: datetime | None) -> bool:
        """Note a failed attempt and the time of the next; None gives up. False if another worker has the lease now."""
        state = DeliveryState.FAILED if next_attempt_at is None else DeliveryState.WAITING
        return self._finish(job.delivery_id, job.lease, state, error, next_attempt_at)

    def disable_channel(self, job: Job, *, version: int) -> bool:
        """Disable a channel whose receiver is permanently gone (HTTP 410).

        `version` is the version of the settings used for the delivery. False, without a change, if newer settings were
        saved since or the account is gone.
        """
        with self._context.database.write() as tx:
            switched = tx.execute(
                update(NotificationSettingsRow)
                .where(
                    NotificationSettingsRow.c.account_id == job.account_id, NotificationSettingsRow.c.version == version
                )
                .values({CHANNEL_SWITCHES[job.channel]: False, "version": NotificationSettingsRow.c.version + 1})
            )
        return switched.rowcount == 1

    def mark_damaged(self, job: Job) -> bool:
        """Mark a job as unreadable, so that it is not retried. False if another worker has the lease now."""
        return self._finish(job.delivery_id, job.lease, DeliveryState.DAMAGED, DAMAGED_SENTENCE, None)

    def prune(self) -> int:
        """Delete messages older than `MESSAGE_RETENTION` without a waiting delivery; returns the number."""
        waiting = select(Delivery.c.outbox_id).where(Delivery.c.state == DeliveryState.WAITING.value)
        with self._context.database.write() as tx:
            return tx.execute(
                delete(OutboxMessage).where(
                    OutboxMessage.c.created_at < self._context.now() - MESSAGE_RETENTION,
                    OutboxMessage.c.id.not_in(waiting),
                )
            ).rowcount

    def _read_job(self, delivery_id: int, lease: str) -> Job | None:
        """The job of one leased delivery; None if it was deleted, or is unreadable and was set aside."""
        query = (
            select(
                Delivery,
                OutboxMessage.c.message_id,
                OutboxMessage.c.kind,
                OutboxMessage.c.payload,
                OutboxMessage.c.created_at,
            )
            .join(OutboxMessage, OutboxMessage.c.id == Delivery.c.outbox_id)
            .where(Delivery.c.id == delivery_id)
        )
        try:
            with self._context.database.read() as tx:
                row = tx.execute(query).one_or_none()
            return None if row is None else self._job(row, lease)
        except (DatabaseDamaged, KeyWrong):
            # Otherwise it would stay the oldest due delivery and block the others.
            self._finish(delivery_id, lease, DeliveryState.DAMAGED, DAMAGED_SENTENCE, None)
            return None

    def _finish(
        self, delivery_id: int, lease: str, state: DeliveryState, error: str, following: datetime | None
    ) -> bool:
        now = self._context.now()
        with self._context.database.write(lock_timeout_s=LOCK_TIMEOUT_S) as tx:
            finished = tx.execute(
                update(Delivery)
                .where(
                    Delivery.c.id == delivery_id,
                    Delivery.c.lease == lease,
                    Delivery.c.state == DeliveryState.WAITING.value,
                )
                .values(
                    state=state.value,
                    attempts=Delivery.c.attempts + 1,
                    last_attempt_at=now,
                    last_error=sanitize(error, 300),
                    next_attempt_at=following or now,
                    lease=None,
                    leased_until=None,
                )
            )
            if finished.rowcount == 1 and state is not DeliveryState.WAITING:
                # A message without an account is deleted with its result: it is the last data of a deleted account.
                outbox = select(Delivery.c.outbox_id).where(Delivery.c.id == delivery_id).scalar_subquery()
                tx.execute(
                    delete(OutboxMessage).where(OutboxMessage.c.id == outbox, OutboxMessage.c.account_id.is_(None))
                )
        return finished.rowcount == 1

    def _job(self, row: Any, lease: str) -> Job:
        recipient = None
        if row.recipient_sealed is not None:
            recipient = self._context.ring.open(row.recipient_sealed, recipient_associated_data(row.message_id))
        payload = row.payload
        if not isinstance(payload, dict):
            raise DatabaseDamaged
        if row.kind == CONFIRM_EMAIL:
            payload = payload | {"code": self._confirmations.code_of(row.message_id)}
        return Job(
            delivery_id=row.id,
            lease=lease,
            account_id=row.account_id,
            channel=db_enum(Channel, row.channel),
            message_id=row.message_id,
            kind=row.kind,
            payload=payload,
            created_at=row.created_at,
            attempts=row.attempts,
            recipient=recipient,
        )


def _is_free(now: datetime, uptime: Uptime) -> ColumnElement[bool]:
    """True if a delivery has no valid lease. Leases of this machine expire by uptime, not by the clock."""
    is_ours = Delivery.c.lease_boot == uptime.boot
    ended_by_uptime = Delivery.c.lease_uptime_ms <= uptime.milliseconds - LEASE_DURATION // timedelta(milliseconds=1)
    is_others = or_(Delivery.c.lease_boot.is_(None), Delivery.c.lease_boot != uptime.boot)
    return or_(
        Delivery.c.leased_until.is_(None),
        and_(is_ours, ended_by_uptime),
        and_(is_others, Delivery.c.leased_until <= now),
    )
