"""Notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.sections import Channel
    from store.values.notifications import EmailRoute, LastDelivery


class LocalNotifications(LocalTopic):
    """`NotificationService` on the store; a test message is sent from this machine."""

    async def last_deliveries(self) -> dict[Channel, LastDelivery]:
        return await self._call(self._store.deliveries.last_deliveries)

    async def send_test(self, channel: Channel) -> LastDelivery:
        from gateway.dispatcher import deliver_now

        delivery_id = await self._call(self._store.outbox.enqueue_test, channel)
        await deliver_now(self._store, delivery_id)
        deliveries = await self.last_deliveries()
        return deliveries[channel]

    async def new_webhook_secret(self) -> str:
        from store.secret_fields import make_webhook_secret

        return make_webhook_secret(self._store.context.rng)

    async def email_route(self) -> EmailRoute:
        return await self._call(self._store.email_confirmations.route)

    async def confirm_email(self, code: str) -> EmailRoute:
        return await self._call(self._store.email_confirmations.confirm, code)
