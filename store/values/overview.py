"""The summary and the security overview: values that a page shows at a glance, from several topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from store.values.access_token import AccessTokenInfo
    from store.values.drawer import DrawerOverview
    from store.values.passkeys import PasskeyInfo
    from store.values.recommendations import Check
    from store.values.sessions import SessionInfo
    from store.values.ssh_keys import SshKeyInfo
    from store.values.two_factor import TwoFactorStatus


class Summary(NamedTuple):
    """The contents of the frame around every page."""

    name: str
    email: str
    remaining_micro_usd: int
    threshold_micro_usd: int
    """The quota warning threshold."""
    active_api_keys: int
    """Keys that work: neither revoked nor expired."""
    errors_today: int
    """Calls of this UTC day that failed or were refused."""
    two_factor: TwoFactorStatus
    checks: tuple[Check, ...]
    hidden_modules: frozenset[str]
    """Modules left out of the sidebar, by the account or by the administrator."""
    locked_modules: frozenset[str]
    """Those the administrator has hidden: the account cannot show them."""


class SecurityOverview(NamedTuple):
    """The contents of the Security tab."""

    has_password: bool
    password_changed_at: datetime | None
    access_token: AccessTokenInfo | None
    """None if the account has no System Access Token."""
    two_factor: TwoFactorStatus
    passkeys_enabled: bool
    passkeys: tuple[PasskeyInfo, ...]
    """The oldest first."""
    ssh_keys: tuple[SshKeyInfo, ...]
    """The oldest first."""
    sessions: tuple[SessionInfo, ...]
    """The session of this console first, then by the last activity."""
    failed_sign_ins: int
    """Failed sign-ins of the last 24 hours."""
    drawer: DrawerOverview | None = None
    """None where nothing goes to the drawer."""
