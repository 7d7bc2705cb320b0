"""Tables of settings, of accounts and of the site."""

from datetime import datetime
from typing import Final

from sqlalchemy import JSON, Boolean, Column, LargeBinary, Named, Table, Text

from store.models.base import METADATA, BigId, Columns, UtcDateTime, account_key


class NotificationSettingsColumns(Columns):
    """The notification settings of an account."""

    account_id = account_key(primary=True)
    version: Named[int] = Column(BigId)
    threshold_micro_usd: Named[int] = Column(BigId)
    email_on: Named[bool] = Column(Boolean)
    email_address: Named[str] = Column(Text)
    webhook_on: Named[bool] = Column(Boolean)
    webhook_url: Named[str] = Column(Text)
    webhook_secret_sealed: Named[bytes | None] = Column(LargeBinary)
    bark_on: Named[bool] = Column(Boolean)
    bark_url_sealed: Named[bytes | None] = Column(LargeBinary)
    bark_encryption_key_sealed: Named[bytes | None] = Column(LargeBinary)
    gotify_on: Named[bool] = Column(Boolean)
    gotify_url: Named[str] = Column(Text)
    gotify_token_sealed: Named[bytes | None] = Column(LargeBinary)
    gotify_priority: Named[int] = Column(BigId)


NotificationSettingsRow: Final = Table("notification_settings", METADATA, NotificationSettingsColumns)


class EmailConfirmationColumns(Columns):
    """The notification address of an account that is confirmed, or waits for its code."""

    account_id = account_key(primary=True)
    address: Named[str] = Column(Text)
    message_id: Named[str] = Column(Text)
    """The id of the message with the code. The code is computed from it and not stored."""
    expires_at: Named[datetime] = Column(UtcDateTime)
    tries: Named[int] = Column(BigId)
    codes_sent: Named[int] = Column(BigId)
    """Codes sent since `counted_since`."""
    counted_since: Named[datetime] = Column(UtcDateTime)
    confirmed_at: Named[datetime | None] = Column(UtcDateTime)


EmailConfirmation: Final = Table("email_confirmations", METADATA, EmailConfirmationColumns)


class PriceSettingsColumns(Columns):
    """The price settings of an account."""

    account_id = account_key(primary=True)
    version: Named[int] = Column(BigId)
    accept_unpriced_models: Named[bool] = Column(Boolean)


PriceSettingsRow: Final = Table("price_settings", METADATA, PriceSettingsColumns)


class PrivacySettingsColumns(Columns):
    """The privacy settings of an account."""

    account_id = account_key(primary=True)
    version: Named[int] = Column(BigId)
    record_client_ip: Named[bool] = Column(Boolean)


PrivacySettingsRow: Final = Table("privacy_settings", METADATA, PrivacySettingsColumns)


class SidebarSettingsColumns(Columns):
    """The sidebar settings of an account."""

    account_id = account_key(primary=True)
    version: Named[int] = Column(BigId)
    hidden_modules: Named[list[str]] = Column(JSON)


SidebarSettingsRow: Final = Table("sidebar_settings", METADATA, SidebarSettingsColumns)


class SiteSettingColumns(Columns):
    """A setting of the site. A secret one is encrypted, and its `value` is empty."""

    name: Named[str] = Column(Text, primary_key=True)
    value: Named[str] = Column(Text)
    value_sealed: Named[bytes | None] = Column(LargeBinary)
    updated_at: Named[datetime] = Column(UtcDateTime)


SiteSetting: Final = Table("site_settings", METADATA, SiteSettingColumns)
