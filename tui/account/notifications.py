"""Notifications: how deliveries went, test messages, and the notification address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.sections import Channel
    from store.values.notifications import EmailRoute, LastDelivery


class NotificationService(Protocol):
    """Reads deliveries, sends test messages, and confirms the notification address."""

    async def last_deliveries(self) -> dict[Channel, LastDelivery]:
        """The newest delivery on each channel that has had one. Raises the session errors."""
        ...

    async def send_test(self, channel: Channel) -> LastDelivery:
        """Send a test message now, on a channel that is on or off; returns its delivery, failed or not.

        A notification address that is not confirmed gets the message with its code instead. Raises `InvalidSetting`
        if no address is saved, `TooManyAttempts` after too many codes, and the session errors.
        """
        ...

    async def new_webhook_secret(self) -> str:
        """A random webhook secret, which is stored only once it is saved. Raises the session errors."""
        ...

    async def email_route(self) -> EmailRoute:
        """The address of e-mail warnings, and the one that waits for its code. Raises the session errors."""
        ...

    async def confirm_email(self, code: str) -> EmailRoute:
        """Confirm the notification address with the code that was sent there.

        Raises `WrongCode`, also for a code that has expired or was tried too often, and the session errors.
        """
        ...
