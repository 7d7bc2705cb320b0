"""Messages that must go out: written in the transaction of what they tell of, sent later, retried.

A message has one row here and one delivery per channel. A worker leases deliveries by a conditional UPDATE, so
several workers never send the same one at the same time; one that dies loses its lease.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from store.context import Context
from store.errors import DatabaseDamaged, InvalidSetting, KeyWrong
from store.models import Account, Delivery, NotificationSettingsRow, OutboxMessage, Quota
from store.sections import Channel
from store.sessions import Sessions
from store.stored_words import stored_word
from store.text import plain

QUOTA_WARNING: Final = "quota:warning"
TEST: Final = "notification:test"
LEASE_LASTS: Final = timedelta(seconds=60)
KEPT_FOR: Final = timedelta(days=30)
_DAMAGED: Final = "The message could not be read; it was damaged in the database."
_CHANNEL_SWITCHES: Final = {
    Channel.EMAIL: "email_on",
    Channel.WEBHOOK: "webhook_on",
    Channel.BARK: "bark_on",
    Channel.GOTIFY: "gotify_on",
}


class State(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up: the schedule ran out, or the receiver said never again."""


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
    """Only for a message that outlives its account."""


@dataclass(frozen=True, slots=True)
class LastDelivery:
    """How the newest delivery on a channel stands."""

    channel: Channel
    kind: str
    state: State
    at: datetime
    """When it was last tried, or queued if it was not yet."""
    attempts: int
    error: str
    next_attempt_at: datetime | None


class Outbox:
    def __init__(self, context: Context, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions

    def warn_if_crossed(self, tx: Connection, account_id: int) -> bool:
        """Queue one quota warning if the armed threshold is crossed, and disarm it, inside `tx`."""
        threshold = (
            select(NotificationSettingsRow.threshold_micro_usd)
            .where(NotificationSettingsRow.account_id == account_id)
            .scalar_subquery()
        )
        crossed = tx.execute(
            update(Quota)
            .where(
                Quota.account_id == account_id,
                Quota.warning_armed.is_(True),
                Quota.remaining_micro_usd < threshold,
            )
            .values(warning_armed=False)
            .returning(Quota.remaining_micro_usd)
        ).scalar()
        if crossed is None:
            return False
        row = tx.execute(
            select(NotificationSettingsRow, Account.name)
            .join(Account, Account.id == NotificationSettingsRow.account_id)
            .where(NotificationSettingsRow.account_id == account_id)
        ).one()
        payload = {
            "name": row.name,
            "remaining_micro_usd": crossed,
            "threshold_micro_usd": row.threshold_micro_usd,
        }
        channels = [channel for channel, switch in _CHANNEL_SWITCHES.items() if getattr(row, switch)]
        self._enqueue(tx, account_id, QUOTA_WARNING, payload, channels)
        return True

    def enqueue_test(self, token: str, channel: Channel) -> int:
        """Queue a test message on one channel, on or off; returns the delivery. Raises `InvalidSetting`."""
        with self._sessions.writing(token) as (tx, acting):
            row = tx.execute(
                select(NotificationSettingsRow).where(NotificationSettingsRow.account_id == acting.account_id)
            ).one()
            targets = {
                Channel.EMAIL: row.email_address or acting.email,
                Channel.WEBHOOK: row.webhook_url,
                Channel.BARK: row.bark_url_sealed,
                Channel.GOTIFY: row.gotify_url,
            }
            if not targets[channel]:
                raise InvalidSetting("Save an address for this channel first.")
            return self._enqueue(tx, acting.account_id, TEST, {"name": acting.name}, [channel])[0]

    def lease(self, limit: int = 10, *, delivery_id: int | None = None) -> list[Job]:
        """Take up to `limit` deliveries that are due, oldest first; or one by its id, due or not."""
        now, lease = self._context.now(), self._context.rng.randbytes(16).hex()
        free = or_(Delivery.leased_until.is_(None), Delivery.leased_until <= now)
        due = select(Delivery.id).where(Delivery.state == State.WAITING.value, free)
        due = due.where(Delivery.next_attempt_at <= now if delivery_id is None else Delivery.id == delivery_id)
        due = due.order_by(Delivery.next_attempt_at, Delivery.id).limit(limit).with_for_update(skip_locked=True)
        with self._context.database.write() as tx:
            ids = tx.execute(due).scalars().all()
            if not ids:
                return []
            taken = set(
                tx.execute(
                    update(Delivery)
                    .where(Delivery.id.in_(ids), Delivery.state == State.WAITING.value, free)
                    .values(lease=lease, leased_until=now + LEASE_LASTS)
                    .returning(Delivery.id)
                ).scalars()
            )
        jobs = [self._leased(number, lease) for number in ids if number in taken]
        return [job for job in jobs if job is not None]

    def delivered(self, job: Job) -> bool:
        """Note that a job was delivered. False if its lease had passed to another worker."""
        return self._finish(job.delivery_id, job.lease, State.DELIVERED, "", None)

    def failed(self, job: Job, error: str, next_attempt_at: datetime | None) -> bool:
        """Note a failed attempt and when to try again; None gives up. False if the lease had passed on."""
        state = State.FAILED if next_attempt_at is None else State.WAITING
        return self._finish(job.delivery_id, job.lease, state, error, next_attempt_at)

    def disable_channel(self, job: Job, *, version: int) -> bool:
        """Switch a channel off because its receiver is gone for good (HTTP 410).

        `version` is that of the settings it was sent by: False, and nothing is switched off, if others were saved
        since, or if the account is gone.
        """
        with self._context.database.write() as tx:
            switched = tx.execute(
                update(NotificationSettingsRow)
                .where(NotificationSettingsRow.account_id == job.account_id, NotificationSettingsRow.version == version)
                .values({_CHANNEL_SWITCHES[job.channel]: False, "version": NotificationSettingsRow.version + 1})
            )
        return switched.rowcount == 1

    def delivery(self, delivery_id: int) -> LastDelivery | None:
        """How one delivery stands, or None if it is gone with its account."""
        with self._context.database.read() as tx:
            row = tx.execute(
                select(Delivery, OutboxMessage.kind, OutboxMessage.created_at)
                .join(OutboxMessage, OutboxMessage.id == Delivery.outbox_id)
                .where(Delivery.id == delivery_id)
            ).one_or_none()
        return None if row is None else _last(row)

    def last_deliveries(self, token: str) -> dict[Channel, LastDelivery]:
        """The newest delivery of the session's account on each channel that ever had one."""
        with self._sessions.reading(token) as (tx, acting):
            newest = (
                select(func.max(Delivery.id)).where(Delivery.account_id == acting.account_id).group_by(Delivery.channel)
            )
            rows = tx.execute(
                select(Delivery, OutboxMessage.kind, OutboxMessage.created_at)
                .join(OutboxMessage, OutboxMessage.id == Delivery.outbox_id)
                .where(Delivery.id.in_(newest))
            ).all()
        return {stored_word(Channel, row.channel): _last(row) for row in rows}

    def next_due(self) -> datetime | None:
        """When the next delivery is due, or None if none waits."""
        with self._context.database.read() as tx:
            return tx.execute(
                select(func.min(Delivery.next_attempt_at)).where(Delivery.state == State.WAITING.value)
            ).scalar()

    def prune(self) -> int:
        """Forget messages that were settled long ago; returns how many."""
        waiting = select(Delivery.outbox_id).where(Delivery.state == State.WAITING.value)
        with self._context.database.write() as tx:
            return tx.execute(
                delete(OutboxMessage).where(
                    OutboxMessage.created_at < self._context.now() - KEPT_FOR,
                    OutboxMessage.id.not_in(waiting),
                )
            ).rowcount

    def _enqueue(
        self, tx: Connection, account_id: int, kind: str, payload: dict[str, Any], channels: list[Channel]
    ) -> list[int]:
        now = self._context.now()
        outbox_id = tx.execute(
            insert(OutboxMessage)
            .values(
                message_id="msg_" + self._context.rng.randbytes(16).hex(),
                account_id=account_id,
                kind=kind,
                payload=payload,
                created_at=now,
            )
            .returning(OutboxMessage.id)
        ).scalar_one()
        return [
            int(
                tx.execute(
                    insert(Delivery)
                    .values(
                        outbox_id=outbox_id,
                        account_id=account_id,
                        channel=channel.value,
                        state=State.WAITING.value,
                        attempts=0,
                        next_attempt_at=now,
                        last_error="",
                    )
                    .returning(Delivery.id)
                ).scalar_one()
            )
            for channel in channels
        ]

    def _leased(self, delivery_id: int, lease: str) -> Job | None:
        """The job of one leased delivery; None if it is gone, or given up because it cannot be read."""
        query = (
            select(
                Delivery,
                OutboxMessage.message_id,
                OutboxMessage.kind,
                OutboxMessage.payload,
                OutboxMessage.created_at,
            )
            .join(OutboxMessage, OutboxMessage.id == Delivery.outbox_id)
            .where(Delivery.id == delivery_id)
        )
        try:
            with self._context.database.read() as tx:
                row = tx.execute(query).one_or_none()
            return None if row is None else self._job(row, lease)
        except (DatabaseDamaged, KeyWrong):
            # It would be the oldest that is due for ever, and keep the others waiting.
            self._finish(delivery_id, lease, State.FAILED, _DAMAGED, None)
            return None

    def _finish(self, delivery_id: int, lease: str, state: State, error: str, following: datetime | None) -> bool:
        now = self._context.now()
        with self._context.database.write() as tx:
            finished = tx.execute(
                update(Delivery)
                .where(
                    Delivery.id == delivery_id,
                    Delivery.lease == lease,
                    Delivery.state == State.WAITING.value,
                )
                .values(
                    state=state.value,
                    attempts=Delivery.attempts + 1,
                    last_attempt_at=now,
                    last_error=plain(error, 300),
                    next_attempt_at=following or now,
                    lease=None,
                    leased_until=None,
                )
            )
            if finished.rowcount == 1 and state is not State.WAITING:
                # The last trace of a deleted account goes with its last message.
                outbox = select(Delivery.outbox_id).where(Delivery.id == delivery_id).scalar_subquery()
                tx.execute(delete(OutboxMessage).where(OutboxMessage.id == outbox, OutboxMessage.account_id.is_(None)))
        return finished.rowcount == 1

    def _job(self, row: Any, lease: str) -> Job:
        recipient = None
        if row.recipient_sealed is not None:
            recipient = self._context.ring.open(row.recipient_sealed, f"deliveries:recipient:{row.message_id}")
        return Job(
            delivery_id=row.id,
            lease=lease,
            account_id=row.account_id,
            channel=stored_word(Channel, row.channel),
            message_id=row.message_id,
            kind=row.kind,
            payload=row.payload,
            created_at=row.created_at,
            attempts=row.attempts,
            recipient=recipient,
        )


def _last(row: Any) -> LastDelivery:
    state = stored_word(State, row.state)
    return LastDelivery(
        channel=stored_word(Channel, row.channel),
        kind=row.kind,
        state=state,
        at=row.last_attempt_at or row.created_at,
        attempts=row.attempts,
        error=row.last_error,
        next_attempt_at=row.next_attempt_at if state is State.WAITING else None,
    )
