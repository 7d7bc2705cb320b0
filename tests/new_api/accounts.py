"""An account of the stand-in, and the forms in which the server shows it."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from tests.new_api.generations import Generation

USER: Final = 1
ADMIN: Final = 10
ROOT: Final = 100
ENABLED: Final = 1
DISABLED: Final = 2

SETTING_ORDER: Final = (
    "notify_type",
    "quota_warning_threshold",
    "webhook_url",
    "webhook_secret",
    "notification_email",
    "bark_url",
    "gotify_url",
    "gotify_token",
    "gotify_priority",
    "accept_unset_model_ratio_model",
    "record_ip_log",
    "sidebar_modules",
    "billing_preference",
    "language",
)
"""The order in which a stored setting is written."""


@dataclass
class TwoFactor:
    """The second factor of an account. It is pending until it was enabled."""

    secret: str = ""
    codes: list[str] = field(default_factory=list)
    """Unused backup codes, without the dash."""
    is_enabled: bool = False
    failures: int = 0
    locked_until: int = 0


@dataclass
class Passkey:
    """The one passkey of an account."""

    credential_id: str
    public_key: bytes
    transports: list[str]
    last_used_at: str | None = None


@dataclass
class Account:
    """One row of users, and what hangs on it."""

    id: int
    username: str
    password: str
    display_name: str
    role: int = USER
    status: int = ENABLED
    email: str = ""
    group: str = "default"
    quota: int = 0
    used_quota: int = 0
    request_count: int = 0
    aff_code: str = ""
    access_token: str | None = None
    setting: dict[str, Any] | None = None
    """None is the empty text of a root account that never saved a setting."""
    created_at: int = 0
    last_login_at: int = 0
    is_deleted: bool = False
    version: int = 0
    """Counts credential changes (AUG)."""
    two_factor: TwoFactor = field(default_factory=TwoFactor)
    passkey: Passkey | None = None
    bindings: dict[int, str] = field(default_factory=dict)
    """The id at a provider of the administrator's own, by that provider."""
    built_in: dict[str, str] = field(default_factory=dict)
    """Identities at the providers that the server brings, by their names in GET self, such as github_id."""

    def stored(self) -> dict[str, Any]:
        """The setting as a value that may be changed and given to `store`."""
        return dict(self.setting or {})

    def store(self, setting: dict[str, Any]) -> None:
        """Keep a setting: what is empty is left out, but for the priority of Gotify."""
        kept = {name: setting[name] for name in SETTING_ORDER if setting.get(name)}
        kept["gotify_priority"] = setting.get("gotify_priority", 0)
        self.setting = {name: kept[name] for name in SETTING_ORDER if name in kept}

    @property
    def setting_text(self) -> str:
        """`setting` of GET self: JSON in a string."""
        if self.setting is None:
            return ""
        return json.dumps(
            {name: _number(value) for name, value in self.setting.items()}, ensure_ascii=False, separators=(",", ":")
        )

    @property
    def sidebar(self) -> str:
        return str((self.setting or {}).get("sidebar_modules", ""))

    @property
    def language(self) -> str:
        return str((self.setting or {}).get("language", ""))


def _number(value: Any) -> Any:
    """A whole float is written without its fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value


def default_sidebar(role: int) -> str:
    """The sidebar that a new account gets."""
    chat = {"chat": True, "enabled": True, "playground": True}
    console = dict.fromkeys(("detail", "enabled", "log", "midjourney", "task", "token"), True)
    personal = {"enabled": True, "personal": True, "topup": True}
    areas: dict[str, Any] = {"chat": chat, "console": console, "personal": personal}
    if role >= ADMIN:
        admin = dict.fromkeys(("channel", "enabled", "models", "redemption", "setting", "user"), True)
        areas = {"admin": admin | {"setting": False}, **areas}
    return json.dumps(areas, separators=(",", ":"))


def signed_in_view(account: Account) -> dict[str, Any]:
    """The answer of FEB to a sign-in."""
    return {
        "display_name": account.display_name,
        "group": account.group,
        "id": account.id,
        "role": account.role,
        "status": account.status,
        "username": account.username,
    }


def self_view(account: Account, generation: Generation) -> dict[str, Any]:
    """`data` of GET /api/user/self, and `user` of a bundle."""
    return {
        "aff_code": account.aff_code,
        "aff_count": 0,
        "aff_history_quota": 0,
        "aff_quota": 0,
        "discord_id": "",
        "display_name": account.display_name,
        "email": account.email,
        "github_id": "",
        "group": account.group,
        "id": account.id,
        "inviter_id": 0,
        "linux_do_id": "",
        "oidc_id": "",
        "permissions": permissions(account.role, generation),
        "quota": account.quota,
        "request_count": account.request_count,
        "role": account.role,
        "setting": account.setting_text,
        "sidebar_modules": account.sidebar,
        "status": account.status,
        "stripe_customer": "",
        "telegram_id": "",
        "used_quota": account.used_quota,
        "username": account.username,
        "wechat_id": "",
    } | account.built_in


def permissions(role: int, generation: Generation) -> dict[str, Any]:
    """The permissions of the page: root has no sidebar settings at all."""
    shown: dict[str, Any] = {"sidebar_modules": {"admin": False}, "sidebar_settings": True}
    if role == ROOT:
        shown = {"sidebar_modules": {}, "sidebar_settings": False}
    elif role >= ADMIN:
        shown = {"sidebar_modules": {"admin": {"setting": False}}, "sidebar_settings": True}
    if generation is Generation.AUG:
        names = ("operate", "read", "secret_view", "sensitive_write", "write")
        shown = {"admin_permissions": {"channel": dict.fromkeys(names, role == ROOT)}, **shown}
    return shown


def row_view(account: Account, generation: Generation) -> dict[str, Any]:
    """A row of the administrator's list."""
    row = {
        "id": account.id,
        "username": account.username,
        "password": "",
        "original_password": "",
        "display_name": account.display_name,
        "role": account.role,
        "status": account.status,
        "email": account.email,
        "github_id": "",
        "discord_id": "",
        "oidc_id": "",
        "wechat_id": "",
        "telegram_id": "",
        "verification_code": "",
        "access_token": account.access_token,
        "quota": account.quota,
        "used_quota": account.used_quota,
        "request_count": account.request_count,
        "group": account.group,
        "aff_code": account.aff_code,
        "aff_count": 0,
        "aff_quota": 0,
        "aff_history_quota": 0,
        "inviter_id": 0,
        "DeletedAt": None,
        "linux_do_id": "",
        "setting": account.setting_text,
        "stripe_customer": "",
    }
    if generation is Generation.AUG:
        del row["access_token"]
        row |= {"created_at": account.created_at, "last_login_at": account.last_login_at}
    return row
