"""Notifications and their deliveries."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from store.sections import Channel

CONFIRM_EMAIL: Final = "notification:confirm"
"""The kind of the message that carries a confirmation code."""


class EmailRoute(NamedTuple):
    """The recipient of an account's e-mail warnings, and an address that is not confirmed yet."""

    address: str
    """The address in use. Empty without one."""
    unconfirmed: str
    """The notification address that is not confirmed. Empty without one."""
    is_code_out: bool = False
    """True if a code for the unconfirmed address is queued or sent and is still valid."""


class DeliveryState(StrEnum):
    """The state of a delivery. Only a waiting one is tried again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up, after the last retry or a permanent refusal by the receiver."""
    DAMAGED = "damaged"
    """Unreadable, and never retried."""


class LoggedDelivery(NamedTuple):
    """A message that went out, goes out or failed to go out, on one channel."""

    id: int
    channel: Channel
    kind: str
    state: DeliveryState
    created_at: datetime
    last_attempt_at: datetime | None
    attempts: int
    error: str


class DeliveryPage(NamedTuple):
    """Deliveries, newest first. `next_before` is the `before` of the next page; None on the last page."""

    deliveries: tuple[LoggedDelivery, ...]
    next_before: int | None


class LastDelivery(NamedTuple):
    """The state of the newest delivery on a channel."""

    channel: Channel
    kind: str
    state: DeliveryState
    at: datetime
    """The time of the last attempt, or of queueing before the first one."""
    attempts: int
    error: str
    next_attempt_at: datetime | None
    """None unless the delivery is waiting."""
