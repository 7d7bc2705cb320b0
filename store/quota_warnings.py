"""Quota warnings: queued once when the balance falls below the threshold."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, or_, select, update

from store.context import Context
from store.models import Account, NotificationSettingsRow, Quota
from store.outbox_queue import CHANNEL_SWITCHES, enqueue
from store.row_locks import lock_against_deletion

QUOTA_WARNING: Final = "quota:warning"
WARNING_INTERVAL: Final = timedelta(minutes=10)
"""The shortest time between two quota warnings of one account."""


class QuotaWarnings:
    """Queues the warning of an account, and disarms it until the quota is increased."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def warn_if_crossed(self, tx: Connection, account_id: int) -> bool:
        """Queue one quota warning inside `tx`, and disarm it, if the armed threshold is crossed.

        Within `WARNING_INTERVAL` of the last warning it stays armed; `warn_postponed` or the next call queues it later.
        """
        now = self._context.now()
        threshold = (
            select(NotificationSettingsRow.c.threshold_micro_usd)
            .where(NotificationSettingsRow.c.account_id == account_id)
            .scalar_subquery()
        )
        crossed = tx.execute(
            update(Quota)
            .where(
                Quota.c.account_id == account_id,
                Quota.c.warning_armed.is_(True),
                Quota.c.remaining_micro_usd < threshold,
                # A time in the future was stored before the clock was set back.
                or_(Quota.c.warned_at.is_(None), Quota.c.warned_at <= now - WARNING_INTERVAL, Quota.c.warned_at > now),
            )
            .values(warning_armed=False, warned_at=now)
            .returning(Quota.c.remaining_micro_usd)
        ).scalar()
        if crossed is None:
            return False
        row = tx.execute(
            select(NotificationSettingsRow, Account.c.name)
            .join(Account, Account.c.id == NotificationSettingsRow.c.account_id)
            .where(NotificationSettingsRow.c.account_id == account_id)
        ).one()
        payload = {
            "name": row.name,
            "remaining_micro_usd": crossed,
            "threshold_micro_usd": row.threshold_micro_usd,
        }
        channels = [channel for channel, switch in CHANNEL_SWITCHES.items() if getattr(row, switch)]
        enqueue(self._context, tx, account_id, QUOTA_WARNING, payload, channels)
        return True

    def warn_postponed(self) -> int:
        """Queue the warnings that `WARNING_INTERVAL` postponed; returns the number."""
        crossed = (
            select(Quota.c.account_id)
            .join(NotificationSettingsRow, NotificationSettingsRow.c.account_id == Quota.c.account_id)
            .where(
                Quota.c.warning_armed.is_(True),
                Quota.c.warned_at <= self._context.now() - WARNING_INTERVAL,
                Quota.c.remaining_micro_usd < NotificationSettingsRow.c.threshold_micro_usd,
            )
        )
        with self._context.database.read() as tx:
            accounts = tx.execute(crossed).scalars().all()
        warned = 0
        for account_id in accounts:
            with self._context.database.write() as tx:
                lock_against_deletion(tx, account_id)
                warned += self.warn_if_crossed(tx, account_id)
        return warned
