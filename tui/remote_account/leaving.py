"""The account as an import takes it over: what the server tells, and what it hands out to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store.values.account_import import Fate, ForeignAccount, ForeignKey, ImportLine
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from datetime import datetime

    from remote.api_keys import RemoteKey
    from remote.own_account import OwnAccount
    from remote.setting_forms import NotificationForm

_OWN_NAMES: Final = {"notification_email": "email_address"}
"""Settings that have another name on the server."""
_STAYS: Final = (
    ImportLine("password", Fate.LEFT, "The server hands out none: the one here stays."),
    ImportLine("second factor and passkey", Fate.LEFT, "Their secrets are not handed out: enable them here anew."),
    ImportLine("System Access Token", Fate.LEFT, "It is good for that server alone."),
    ImportLine("usage log", Fate.LEFT, "`gatekey --server URL usage export` writes it into a file."),
    ImportLine("payments", Fate.LEFT, "`gatekey --server URL wallet export` writes them into a file."),
)


class RemoteLeaving(RemoteTopic):
    """Reads everything that can be carried into another account."""

    async def foreign_account(self) -> ForeignAccount:
        """The account, its settings with their secrets, its keys by their names, and the prices of models.

        Raises the session errors.
        """
        from remote.setting_forms import CHANNEL_FIELDS

        account = await self._account()
        settings = await self._client.settings.read()
        keys = await self._client.api_keys.all()
        form, now = settings.form, self._now()
        return ForeignAccount(
            name=account.name,
            email=account.email,
            threshold_micro_usd=form.threshold_micro_usd if settings.is_form_stored else None,
            channel=form.channel if settings.is_form_stored else None,
            channel_fields={_OWN_NAMES.get(name, name): _value(form, name) for name in CHANNEL_FIELDS[form.channel]},
            accept_unpriced_models=settings.accept_unpriced_models,
            record_client_ip=settings.record_client_ip,
            hidden_modules=settings.hidden_modules,
            keys=tuple(_key(key, now) for key in reversed(keys)),
            left=(*_STAYS, *self._more(account)),
            prices=await self._client.models.exact_prices(account.group),
        )

    def _more(self, account: OwnAccount) -> list[ImportLine]:
        """Parts that this account has, and another may not have."""
        from remote.quota_units import micro_usd_of
        from store.money import show_usd

        money = show_usd(micro_usd_of(account.quota, self._known.quota_per_usd), exact=True)
        lines = [ImportLine("balance", Fate.LEFT, f"{money} stay there. `gatekey admin quota` gives quota here.")]
        if account.display_name and account.display_name != account.name:
            lines.append(ImportLine("display name", Fate.LEFT, f"{account.display_name}: there is none here."))
        if account.bound:
            names = ", ".join(name for name, _ in account.bound)
            lines.append(ImportLine("bound identities", Fate.LEFT, f"{names}: bind them here anew."))
        if account.language:
            lines.append(ImportLine("language of messages", Fate.LEFT, f"{account.language}: there is no choice here."))
        if account.billing_preference:
            lines.append(ImportLine("billing preference", Fate.LEFT, "There are no subscriptions here."))
        return lines


def _value(form: NotificationForm, name: str) -> str | int:
    value: str | int = getattr(form, name)
    return value


def _key(key: RemoteKey, now: datetime) -> ForeignKey:
    """A key whose limit is what the old one may still spend."""
    from store.values.api_keys import ApiKeyLimits

    limits = ApiKeyLimits(
        expires_at=key.expires_at,
        spend_limit_micro_usd=key.remaining_micro_usd,
        allowed_models=key.models,
        allowed_networks=key.networks,
    )
    why_not = ""
    if not key.is_enabled:
        why_not = "It is disabled there."
    elif key.expires_at is not None and key.expires_at <= now:
        why_not = "It has expired."
    elif key.is_exhausted or (key.remaining_micro_usd is not None and key.remaining_micro_usd <= 0):
        why_not = "Its limit is used up there."
    return ForeignKey(key.name, limits, why_not)
