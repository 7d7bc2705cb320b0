"""The tables, one module per topic. Rows about an account refer to `accounts` with ON DELETE CASCADE."""

from pathlib import Path
from typing import Final

from store.models.accounts import Account, Meta, PendingSignIn, RateWindow, Session, Throttle, Tombstone
from store.models.audit import AuditEvent, AuditHead, AuditTotal, SiteEvent
from store.models.base import Base, BigId, UtcDateTime
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
from store.models.outbox import Delivery, OutboxMessage
from store.models.settings import (
    EmailConfirmation,
    NotificationSettingsRow,
    PriceSettingsRow,
    PrivacySettingsRow,
    SidebarSettingsRow,
    SiteSetting,
)
from store.models.usage import Price, Quota, Reservation, UnpricedModel, UsageDay, UsageEntryRow

__all__ = [
    "REVISIONS",
    "SCHEMA_REVISION",
    "AccessToken",
    "Account",
    "ApiKey",
    "AuditEvent",
    "AuditHead",
    "AuditTotal",
    "BackupCode",
    "Base",
    "BigId",
    "Binding",
    "Delivery",
    "EmailConfirmation",
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
    "Reservation",
    "Session",
    "SidebarSettingsRow",
    "SiteEvent",
    "SiteSetting",
    "Throttle",
    "Tombstone",
    "TwoFactor",
    "TwoFactorSetup",
    "UnpricedModel",
    "UsageDay",
    "UsageEntryRow",
    "UtcDateTime",
]

_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations" / "versions"
REVISIONS: Final = tuple(sorted(path.name[:4] for path in _MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.py")))
"""All Alembic revisions, oldest first. Each migration has its revision at the start of its file name."""
SCHEMA_REVISION: Final = REVISIONS[-1]
"""The Alembic revision of this schema."""
