"""The kinds of audit events, and the names of actors and sources that are not sessions."""

from enum import StrEnum
from typing import Final


class Tag(StrEnum):
    """The kind of an event of an account, as `subject:action`."""

    ACCOUNT_CREATED = "account:created"
    ACCOUNT_ROLE_CHANGED = "account:role-changed"
    ACCOUNT_EMAIL_CHANGED = "account:email-changed"
    ACCOUNT_SUSPENDED = "account:suspended"
    ACCOUNT_RESUMED = "account:resumed"
    SIGNED_IN = "sign-in:succeeded"
    SIGN_IN_FAILED = "sign-in:failed"
    SIGN_IN_LOCKED = "sign-in:locked"
    SIGNED_OUT = "session:ended"
    OTHERS_SIGNED_OUT = "session:others-ended"
    SESSION_LOCKED = "session:locked"
    PROVED = "session:proved"
    PROOF_FAILED = "session:proof-failed"
    PASSWORD_CHANGED = "password:changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password:reset"  # noqa: S105 - the name of an event
    TWO_FACTOR_ENABLED = "two-factor:enabled"
    TWO_FACTOR_DISABLED = "two-factor:disabled"
    TWO_FACTOR_RESET = "two-factor:reset"
    BACKUP_CODE_USED = "backup-code:used"
    BACKUP_CODES_RENEWED = "backup-codes:renewed"
    BACKUP_CODES_LOW = "backup-codes:low"
    ACCESS_TOKEN_GENERATED = "access-token:generated"  # noqa: S105 - the name of an event
    ACCESS_TOKEN_REVOKED = "access-token:revoked"  # noqa: S105 - the name of an event
    API_KEY_CREATED = "api-key:created"
    API_KEY_CHANGED = "api-key:changed"
    API_KEY_ROTATED = "api-key:rotated"
    API_KEY_DISABLED = "api-key:disabled"
    API_KEY_ENABLED = "api-key:enabled"
    API_KEY_REVOKED = "api-key:revoked"
    KEYS_REVOKED = "keys:revoked"
    PASSKEY_ADDED = "passkey:added"
    PASSKEY_RENAMED = "passkey:renamed"
    PASSKEY_REMOVED = "passkey:removed"
    PASSKEY_CLONED = "passkey:cloned"
    SSH_KEY_ADDED = "ssh-key:added"
    SSH_KEY_RENAMED = "ssh-key:renamed"
    SSH_KEY_REMOVED = "ssh-key:removed"
    SSH_KEY_USED = "ssh-key:used"
    IDENTITY_BOUND = "identity:bound"
    IDENTITY_UNBOUND = "identity:unbound"
    SETTINGS_SAVED = "settings:saved"
    NOTIFICATION_EMAIL_CONFIRMED = "notification-email:confirmed"
    IPS_ERASED = "privacy:ips-erased"
    QUOTA_CHANGED = "quota:changed"
    CODE_REDEEMED = "redeem-code:redeemed"
    REDEEM_FAILED = "redeem-code:failed"
    REDEEM_LOCKED = "redeem-code:locked"
    FACTOR_RESET = "factor:reset"
    EXPORTED = "account:exported"
    USAGE_EXPORTED = "usage:exported"
    LEDGER_EXPORTED = "ledger:exported"
    DRAWER_PUT = "drawer:put"
    DRAWER_FETCHED = "drawer:fetched"
    DRAWER_REMOVED = "drawer:removed"


class SiteTag(StrEnum):
    """The kind of a site event, or of an event that is kept after its account, as `subject:action`."""

    SETTING_CHANGED = "site:changed"
    SETTING_RESET = "site:reset"
    PRICE_SET = "price:set"
    PRICE_REMOVED = "price:removed"
    REDEEM_CODES_CREATED = "redeem-code:created"
    REDEEM_CODE_REVOKED = "redeem-code:revoked"
    CODE_REDEEMED = "redeem-code:redeemed"
    PROVIDER_ADDED = "provider:added"
    PROVIDER_REMOVED = "provider:removed"
    ACCOUNT_LOCKED = "account:locked"
    ACCOUNT_UNLOCKED = "account:unlocked"
    ACCOUNT_DELETED = "account:deleted"
    KEY_RENEWED = "key:renewed"
    RESTORED = "database:restored"


UNNAMED: Final = "unnamed"
"""The actor of an act whose caller did not name one."""

COMMAND_LINE: Final = "command line"
"""The source of acts by administrator commands."""
