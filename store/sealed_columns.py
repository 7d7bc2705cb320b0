"""All columns with encrypted values, and the associated data of each value."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, select, update

from store import bindings, drawer, second_factor, settings, site, two_factor
from store.models import (
    Delivery,
    DrawerItemRow,
    NotificationSettingsRow,
    OutboxMessage,
    Provider,
    SiteSetting,
    TwoFactor,
    TwoFactorSetup,
)
from store.outbox_queue import recipient_associated_data
from store.sections import NotificationSettings
from store.setting_fields import secrets_of


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One encrypted column of one table, and the function for the associated data of a row."""

    table: Table
    name: str
    key: str
    associated_data: Callable[[Any], str]
    bound_to: Column[Any]

    def values(self, tx: Connection) -> list[tuple[Any, bytes, Any]]:
        """Primary key, encrypted value, and input of `associated_data`, of every row with a value."""
        key, column = self.table.c[self.key], self.table.c[self.name]
        query: Select[Any] = select(key, column, self.bound_to).where(column.is_not(None))
        if self.bound_to.table is not self.table:
            query = query.join(OutboxMessage, OutboxMessage.c.id == Delivery.c.outbox_id)
        return [(row[0], row[1], row[2]) for row in tx.execute(query)]

    def replace(self, tx: Connection, key: Any, old: bytes, new: bytes) -> bool:
        """Replace `old` by `new`. False if another transaction changed the value."""
        change = update(self.table).where(self.table.c[self.key] == key, self.table.c[self.name] == old)
        return tx.execute(change.values({self.name: new})).rowcount == 1


def sealed_columns() -> tuple[SealedColumn, ...]:
    """All encrypted columns. Each secret of the notification settings has one."""
    notifications = tuple(
        SealedColumn(
            NotificationSettingsRow,
            setting.column,
            "account_id",
            partial(settings.associated_data, setting.name),
            NotificationSettingsRow.c.account_id,
        )
        for setting in secrets_of(NotificationSettings)
    )
    return (
        SealedColumn(TwoFactor, "secret_sealed", "account_id", second_factor.associated_data, TwoFactor.c.account_id),
        SealedColumn(
            TwoFactorSetup, "secret_sealed", "account_id", two_factor.setup_associated_data, TwoFactorSetup.c.account_id
        ),
        *notifications,
        SealedColumn(SiteSetting, "value_sealed", "name", site.associated_data, SiteSetting.c.name),
        SealedColumn(Provider, "client_secret_sealed", "id", bindings.associated_data, Provider.c.slug),
        SealedColumn(DrawerItemRow, "key_sealed", "id", drawer.associated_data, DrawerItemRow.c.id),
        SealedColumn(Delivery, "recipient_sealed", "id", recipient_associated_data, OutboxMessage.c.message_id),
    )
