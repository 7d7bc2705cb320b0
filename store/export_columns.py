"""The columns of each table with personal data that an export contains.

A test fails for a table with an `account_id` that is missing here, and for one that a deletion does not empty.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Table

from store import models
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, Section, SidebarSettings
from store.setting_fields import settings_of


def _settings(section: type[Section]) -> tuple[str, ...]:
    return ("version", *(setting.column for setting in settings_of(section) if not setting.is_secret))


EXPORTED: Final[Mapping[Table, tuple[str, ...]]] = {
    models.Account: ("name", "email", "role", "created_at", "password_changed_at", "suspended_at", "user_handle"),
    models.Session: ("method", "source", "created_at", "last_active_at", "proof_at", "locked_at"),
    models.TwoFactor: ("enabled_at", "low_codes_noted_at"),
    models.BackupCode: ("created_at", "used_at"),
    models.AccessToken: ("last_four", "created_at", "last_used_at"),
    models.ApiKey: (
        "name",
        "last_four",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "spend_limit_micro_usd",
        "spent_micro_usd",
        "held_micro_usd",
        "limit_period",
        "period_started_at",
        "period_spent_micro_usd",
        "allowed_models",
        "allowed_networks",
        "requests_per_minute",
        "disabled_at",
        "last_used_ip",
        "rotated_at",
        "previous_expires_at",
    ),
    models.Passkey: (
        "label",
        "credential_id",
        "sign_count",
        "aaguid",
        "transports",
        "backed_up",
        "created_at",
        "last_used_at",
        "flagged_at",
    ),
    models.SshKey: ("name", "algorithm", "fingerprint", "added_at", "last_used_at", "last_used_from"),
    models.Binding: ("subject", "display", "created_at", "last_used_at"),
    models.NotificationSettingsRow: _settings(NotificationSettings),
    models.EmailConfirmation: ("address", "codes_sent", "counted_since", "confirmed_at"),
    models.PriceSettingsRow: _settings(PriceSettings),
    models.PrivacySettingsRow: _settings(PrivacySettings),
    models.SidebarSettingsRow: _settings(SidebarSettings),
    models.UnpricedModel: ("model", "calls", "last_seen_at"),
    models.Quota: ("remaining_micro_usd", "held_micro_usd", "used_micro_usd", "warning_armed", "warned_at"),
    models.Reservation: ("held_micro_usd", "created_at", "settled_at"),
    models.UsageEntryRow: (
        "id",
        "kind",
        "at",
        "model",
        "api_key_name",
        "request_id",
        "status",
        "detail",
        "prompt_tokens",
        "completion_tokens",
        "cost_micro_usd",
        "duration_ms",
        "unpriced",
        "client_ip",
        "cached_tokens",
        "images",
        "image_size",
        "task_done",
        "task_total",
        "input_micro_usd_per_million",
        "cached_input_micro_usd_per_million",
        "output_micro_usd_per_million",
        "request_micro_usd",
    ),
    models.UsageDay: ("day", "calls", "errors", "tokens", "cost_micro_usd"),
    models.UsageTotal: ("day", "model", "api_key_name", "calls", "errors", "tokens", "cost_micro_usd"),
    models.LedgerEntryRow: (
        "sequence",
        "at",
        "kind",
        "amount_micro_usd",
        "balance_micro_usd",
        "usage_entry_id",
        "reason",
        "actor",
    ),
    models.StoredResponseRow: ("id", "tokens", "created_at"),
    models.RelayFileRow: ("id", "filename", "purpose", "size_bytes", "created_at", "task_id"),
    models.OutboxMessage: ("message_id", "kind", "payload", "created_at"),
    models.Delivery: ("channel", "state", "attempts", "next_attempt_at", "last_attempt_at", "last_error"),
    models.DrawerItemRow: ("name", "size_bytes", "put_at", "expires_at"),
    models.AuditEvent: ("sequence", "at", "tag", "actor", "source", "detail"),
}
"""The exported columns by table: all columns except keys, hashes and encrypted values."""

WITHOUT_CONTENT: Final[tuple[Table, ...]] = (
    models.PendingSignIn,
    models.TwoFactorSetup,
    models.PasskeyCeremony,
    models.AuditHead,
    models.DrawerPart,
)
"""Tables about an account with no data to export: short-lived tickets and hashes, and copies of exports."""
