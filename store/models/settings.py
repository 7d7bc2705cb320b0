"""Tables of settings, of accounts and of the site."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from store.models.base import Base, account_key


class NotificationSettingsRow(Base):
    """The notification settings of an account."""

    __tablename__ = "notification_settings"
    account_id: Mapped[int] = account_key(primary=True)
    version: Mapped[int]
    threshold_micro_usd: Mapped[int]
    email_on: Mapped[bool]
    email_address: Mapped[str]
    webhook_on: Mapped[bool]
    webhook_url: Mapped[str]
    webhook_secret_sealed: Mapped[bytes | None]
    bark_on: Mapped[bool]
    bark_url_sealed: Mapped[bytes | None]
    bark_encryption_key_sealed: Mapped[bytes | None]
    gotify_on: Mapped[bool]
    gotify_url: Mapped[str]
    gotify_token_sealed: Mapped[bytes | None]
    gotify_priority: Mapped[int]


class EmailConfirmation(Base):
    """The notification address of an account that is confirmed, or waits for its code."""

    __tablename__ = "email_confirmations"
    account_id: Mapped[int] = account_key(primary=True)
    address: Mapped[str]
    message_id: Mapped[str]
    """The id of the message with the code. The code is computed from it and not stored."""
    expires_at: Mapped[datetime]
    tries: Mapped[int]
    codes_sent: Mapped[int]
    """Codes sent since `counted_since`."""
    counted_since: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class PriceSettingsRow(Base):
    """The price settings of an account."""

    __tablename__ = "price_settings"
    account_id: Mapped[int] = account_key(primary=True)
    version: Mapped[int]
    accept_unpriced_models: Mapped[bool]


class PrivacySettingsRow(Base):
    """The privacy settings of an account."""

    __tablename__ = "privacy_settings"
    account_id: Mapped[int] = account_key(primary=True)
    version: Mapped[int]
    record_client_ip: Mapped[bool]


class SidebarSettingsRow(Base):
    """The sidebar settings of an account."""

    __tablename__ = "sidebar_settings"
    account_id: Mapped[int] = account_key(primary=True)
    version: Mapped[int]
    hidden_modules: Mapped[list[str]]


class SiteSetting(Base):
    """A setting of the site. A secret one is encrypted, and its `value` is empty."""

    __tablename__ = "site_settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    value_sealed: Mapped[bytes | None]
    updated_at: Mapped[datetime]
