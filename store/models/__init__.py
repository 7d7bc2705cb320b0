"""The tables, one module per topic. Rows about an account refer to `accounts` with ON DELETE CASCADE.

A table is declared in two parts: a class of its columns, which is never instantiated, and the `Table` made of it.
Statements name the `Table` and its columns, `select(Account.c.name)`.
"""

from store.models.accounts import Account, Meta, PendingSignIn, RateWindow, Session, Throttle, Tombstone
from store.models.audit import AuditEvent, AuditHead, AuditTotal, SiteEvent
from store.models.base import METADATA, BigId, UtcDateTime
from store.models.credentials import (
    AccessToken,
    ApiKey,
    BackupCode,
    Binding,
    Passkey,
    PasskeyCeremony,
    Provider,
    TwoFactor,
    TwoFactorSetup,
)
from store.models.drawer import DrawerItemRow, DrawerPart
from store.models.outbox import Delivery, OutboxMessage
from store.models.redeem_codes import RedeemCode
from store.models.relay_files import RelayFileRow
from store.models.settings import (
    EmailConfirmation,
    NotificationSettingsRow,
    PriceSettingsRow,
    PrivacySettingsRow,
    SidebarSettingsRow,
    SiteSetting,
)
from store.models.ssh_keys import SshKey
from store.models.stored_responses import StoredResponseRow
from store.models.usage import (
    LedgerEntryRow,
    Price,
    Quota,
    Reservation,
    UnpricedModel,
    UsageDay,
    UsageEntryRow,
    UsageTotal,
)

__all__ = [
    "METADATA",
    "AccessToken",
    "Account",
    "ApiKey",
    "AuditEvent",
    "AuditHead",
    "AuditTotal",
    "BackupCode",
    "BigId",
    "Binding",
    "Delivery",
    "DrawerItemRow",
    "DrawerPart",
    "EmailConfirmation",
    "LedgerEntryRow",
    "Meta",
    "NotificationSettingsRow",
    "OutboxMessage",
    "Passkey",
    "PasskeyCeremony",
    "PendingSignIn",
    "Price",
    "PriceSettingsRow",
    "PrivacySettingsRow",
    "Provider",
    "Quota",
    "RateWindow",
    "RedeemCode",
    "RelayFileRow",
    "Reservation",
    "Session",
    "SidebarSettingsRow",
    "SiteEvent",
    "SiteSetting",
    "SshKey",
    "StoredResponseRow",
    "Throttle",
    "Tombstone",
    "TwoFactor",
    "TwoFactorSetup",
    "UnpricedModel",
    "UsageDay",
    "UsageEntryRow",
    "UsageTotal",
    "UtcDateTime",
]
