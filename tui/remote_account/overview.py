"""The summary and the security overview, as far as the server tells."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from store.errors import NotOnThisServer
from store.money import show_usd
from store.values.capabilities import UNKNOWN_TIME
from store.values.recommendations import Advice, Check
from tui.remote_account.session import RemoteSession
from tui.remote_account.two_factor import RemoteTwoFactor

if TYPE_CHECKING:
    from datetime import datetime

    from remote.api_keys import RemoteKey
    from remote.setting_forms import RemoteSettings
    from store.values.audit import Event
    from store.values.overview import SecurityOverview, Summary
    from store.values.passkeys import PasskeyInfo
    from store.values.two_factor import TwoFactorStatus


class RemoteOverview(RemoteTwoFactor, RemoteSession):
    """`OverviewService` on a server."""

    async def summary(self) -> Summary:
        from remote.quota_units import micro_usd_of
        from remote.usage import LogFilter, LogKind
        from store.values.overview import Summary

        self._check_open()
        now = self._now()
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        account, settings, status, keys, errors = await asyncio.gather(
            self._account(),
            self._client.settings.read(),
            self._two_factor_status(),
            self._client.api_keys.all(),
            self._client.usage.page(LogFilter(LogKind.ERROR, since=today), 1, 1),
        )
        return Summary(
            name=account.name,
            email=account.email,
            remaining_micro_usd=micro_usd_of(account.quota, self._known.quota_per_usd),
            threshold_micro_usd=settings.form.threshold_micro_usd,
            active_api_keys=sum(_is_usable(key, now) for key in keys),
            errors_today=errors.total,
            two_factor=status,
            checks=checks_of(settings, account.email, status),
            hidden_modules=settings.hidden_modules | settings.locked_modules,
            locked_modules=settings.locked_modules,
        )

    async def security(self) -> SecurityOverview:
        from store.values.overview import SecurityOverview

        account = await self._account()
        return SecurityOverview(
            has_password=account.has_password is not False,
            password_changed_at=None,
            access_token=None,
            two_factor=await self._two_factor_status(),
            passkeys_enabled=self._known.has_passkeys,
            passkeys=await self._passkeys(),
            ssh_keys=(),
            sessions=await self._sessions(),
            failed_sign_ins=0,
        )

    async def _passkeys(self) -> tuple[PasskeyInfo, ...]:
        """The passkey, if there is one. FEB does not tell a System Access Token."""
        from store.values.passkeys import PasskeyInfo

        if self._known.is_feb and self._client.signed_in_with_token:
            return ()
        state = await self._client.passkeys.state()
        if not state.is_registered:
            return ()
        return (PasskeyInfo(1, "Passkey", UNKNOWN_TIME, state.last_used_at, backed_up=False, flagged_at=None),)

    async def audit_events(self, *_: Any) -> list[Event]:
        raise NotOnThisServer


def _is_usable(key: RemoteKey, now: datetime) -> bool:
    return key.is_enabled and not key.is_exhausted and (key.expires_at is None or key.expires_at > now)


def checks_of(settings: RemoteSettings, email: str, status: TwoFactorStatus) -> tuple[Check, ...]:
    """The recommendations whose state the server tells."""
    form = settings.form
    is_warned = form.threshold_micro_usd > 0 and (form.channel != "email" or bool(form.notification_email or email))
    return (
        Check(Advice.TWO_FACTOR, status.is_enabled, "It is on." if status.is_enabled else "It is off."),
        Check(
            Advice.QUOTA_WARNING,
            is_warned,
            f"A warning is sent below {show_usd(form.threshold_micro_usd)}."
            if is_warned
            else "The account has no e-mail address.",
        ),
        Check(
            Advice.PRICING,
            not settings.accept_unpriced_models,
            "Calls to models without a price are let through; their cost is unpredictable."
            if settings.accept_unpriced_models
            else "Calls to models without a price are blocked.",
        ),
    )
