"""Insertion of a message into the outbox: one row for the message, one delivery per channel."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, insert

from store.context import Context
from store.models import Delivery, OutboxMessage
from store.sections import Channel, settings_of_channel

CHANNEL_SWITCHES: Final = {channel: settings_of_channel(channel)[0].column for channel in Channel}
"""The column that enables each channel."""


class Queued(NamedTuple):
    """A queued message."""

    message_id: str
    delivery_ids: list[int]
    """In the order of the requested channels."""


def enqueue(
    context: Context,
    tx: Connection,
    account_id: int | None,
    kind: str,
    payload: Mapping[str, Any],
    channels: Iterable[Channel],
    *,
    recipient: str | None = None,
) -> Queued:
    """Queue a message inside `tx`, due at once.

    `recipient` overrides the address in the account's settings. It is stored encrypted.
    """
    now, message_id = context.now(), "msg_" + context.rng.randbytes(16).hex()
    outbox_id = tx.execute(
        insert(OutboxMessage)
        .values(message_id=message_id, account_id=account_id, kind=kind, payload=dict(payload), created_at=now)
        .returning(OutboxMessage.c.id)
    ).scalar_one()
    sealed = None if recipient is None else context.seal(recipient, recipient_associated_data(message_id))
    delivery_ids = [
        int(
            tx.execute(
                insert(Delivery)
                .values(
                    outbox_id=outbox_id,
                    account_id=account_id,
                    channel=channel.value,
                    state="waiting",
                    attempts=0,
                    next_attempt_at=now,
                    last_error="",
                    recipient_sealed=sealed,
                )
                .returning(Delivery.c.id)
            ).scalar_one()
        )
        for channel in channels
    ]
    return Queued(message_id, delivery_ids)


def recipient_associated_data(message_id: str) -> str:
    """The associated data of a delivery's encrypted recipient."""
    return f"deliveries:recipient:{message_id}"
