"""Every column that holds a sealed value, and the place each value is sealed for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, select, update

from store import bindings, second_factor, settings, site, two_factor
from store.models import (
    Base,
    Delivery,
    NotificationSettingsRow,
    OutboxMessage,
    Provider,
    SiteSetting,
    TwoFactor,
    TwoFactorSetup,
)
from store.outbox_queue import recipient_associated_data


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One such column: its table, its name, the name of the primary key, and the place by a value of each row."""

    table: type[Base]
    name: str
    key: str
    place: Callable[[Any], str]
    place_from: Any

    def values(self, tx: Connection) -> list[tuple[Any, bytes, Any]]:
        """Primary key, sealed value and what the place is made of, of every row with a value."""
        column = getattr(self.table, self.name)
        query: Select[Any] = select(getattr(self.table, self.key), column, self.place_from).where(column.is_not(None))
        if self.place_from.class_ is not self.table:
            query = query.join(OutboxMessage, OutboxMessage.id == Delivery.outbox_id)
        return [(row[0], row[1], row[2]) for row in tx.execute(query)]

    def replace(self, tx: Connection, key: Any, old: bytes, new: bytes) -> bool:
        """Put `new` in the place of `old`; False if somebody else has changed it."""
        change = update(self.table).where(getattr(self.table, self.key) == key, getattr(self.table, self.name) == old)
        return tx.execute(change.values({self.name: new})).rowcount == 1


def sealed_columns() -> tuple[SealedColumn, ...]:
    """All of them; the notification settings have four."""
    notifications = tuple(
        SealedColumn(
            NotificationSettingsRow,
            f"{name}_sealed",
            "account_id",
            partial(settings.place, name),
            NotificationSettingsRow.account_id,
        )
        for name in ("webhook_secret", "bark_url", "bark_encryption_key", "gotify_token")
    )
    return (
        SealedColumn(TwoFactor, "secret_sealed", "account_id", second_factor.place, TwoFactor.account_id),
        SealedColumn(TwoFactorSetup, "secret_sealed", "account_id", two_factor.setup_place, TwoFactorSetup.account_id),
        *notifications,
        SealedColumn(SiteSetting, "value_sealed", "name", site.place, SiteSetting.name),
        SealedColumn(Provider, "client_secret_sealed", "id", bindings.place, Provider.slug),
        SealedColumn(Delivery, "recipient_sealed", "id", recipient_associated_data, OutboxMessage.message_id),
    )
