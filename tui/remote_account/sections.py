"""The four sections of settings. The server keeps one form of them all, which `remote.settings` merges and writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from store.errors import NotOnThisServer, StaleEdit, StoreUnavailable
from store.secret_fields import StoredSecret
from store.sections import Channel, NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from store.setting_fields import secrets_of
from store.values.notifications import EmailRoute
from store.values.sections import Saved, SettingsConflict
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from remote.setting_forms import NotificationForm, RemoteSettings
    from store.values.notifications import LastDelivery
    from store.values.sections import SectionT

_SECRETS: Final = ("webhook_secret", "bark_url", "gotify_token")
_NO_CHANNEL: Final = "This server always warns on one channel. Switch one on."
_NO_ENCRYPTION: Final = "This server knows no encryption key of Bark."
_KEPT_VERSIONS: Final = 64


class RemoteSections(RemoteTopic):
    """`SectionService` and `NotificationService` on a server."""

    async def load(self, kind: type[SectionT]) -> Saved[SectionT]:
        self._check_open()
        return await self._saved(kind, await self._client.settings.read())

    async def save(self, section: SectionT, version: int) -> Saved[SectionT]:
        from remote.settings import ChangedOnServer

        self._check_open()
        seen = self._versions.get(version)
        if seen is None:
            raise StaleEdit
        try:
            stored = await self._store(section, seen)
        except ChangedOnServer as change:
            raise SettingsConflict(await self._saved(type(section), change.theirs)) from change
        return await self._saved(type(section), stored)

    async def last_deliveries(self) -> dict[Channel, LastDelivery]:
        return {}

    async def send_test(self, *_: Any) -> LastDelivery:
        raise NotOnThisServer

    async def email_route(self) -> EmailRoute:
        """The server confirms no address: what is entered is used."""
        account = await self._account()
        return EmailRoute(account.settings.text("notification_email") or account.email, "")

    async def confirm_email(self, *_: Any) -> EmailRoute:
        raise NotOnThisServer

    async def new_webhook_secret(self) -> str:
        from random import SystemRandom

        from store.secret_fields import make_webhook_secret

        return make_webhook_secret(SystemRandom())

    # -- how ---------------------------------------------------------------------------------------------------

    async def _saved(self, kind: type[SectionT], settings: RemoteSettings) -> Saved[SectionT]:
        form = self._client.settings.whole_form(settings.form)
        await self._keep(form)
        versions = self._versions
        version = max(versions, default=0) + 1
        versions[version] = settings
        for old in sorted(versions)[:-_KEPT_VERSIONS]:
            del versions[old]
        return Saved(cast("SectionT", _section(kind, settings, form)), version)

    async def _keep(self, form: NotificationForm) -> None:
        """Keep the fields of every channel: the server forgets those of the channels that are off."""
        try:
            await self._client.settings.keep_form(form)
        except StoreUnavailable:
            self._could_not_keep_fields = True  # the sentence on the tab says so
        else:
            self._could_not_keep_fields = False

    async def _store(self, section: Any, seen: RemoteSettings) -> RemoteSettings:
        settings = self._client.settings
        match section:
            case NotificationSettings():
                form = _form(section, settings.whole_form(seen.form))
                stored = await settings.save_notifications(form, seen)
                await self._keep(form)
                return stored
            case PriceSettings(accepts):
                return await settings.save_price(accept_unpriced=accepts, seen=seen)
            case PrivacySettings(records):
                return await settings.save_privacy(record_client_ip=records, seen=seen)
            case _:
                return await settings.save_sidebar(section.hidden_modules, seen)


def _section(kind: type[Any], settings: RemoteSettings, form: NotificationForm) -> Any:
    if kind is PriceSettings:
        return PriceSettings(accept_unpriced_models=settings.accept_unpriced_models)
    if kind is PrivacySettings:
        return PrivacySettings(record_client_ip=settings.record_client_ip)
    if kind is SidebarSettings:
        return SidebarSettings(hidden_modules=settings.hidden_modules)
    on: dict[str, Any] = {f"{channel}_on": channel is form.channel for channel in Channel}
    return NotificationSettings(
        threshold_micro_usd=form.threshold_micro_usd,
        email_address=form.notification_email,
        webhook_url=form.webhook_url,
        gotify_url=form.gotify_url,
        gotify_priority=form.gotify_priority,
        **_secrets(form),
        **on,
    )


def _secrets(form: NotificationForm) -> dict[str, Any]:
    """The secrets as the form shows them: that there is one, and a hint of it."""
    shown = {}
    for setting in secrets_of(NotificationSettings):
        if text := getattr(form, setting.name, ""):
            shown[setting.name] = StoredSecret(is_set=True, hint=setting.hint(text))
    return shown


def _form(section: NotificationSettings, known: NotificationForm) -> NotificationForm:
    """The form of the server for a section. Raises `NotOnThisServer` if no channel is on, or one has what it lacks."""
    if not section.channels:
        raise NotOnThisServer(_NO_CHANNEL, field="email_on")
    if section.bark_encryption_key.will_be_set:
        raise NotOnThisServer(_NO_ENCRYPTION, field="bark_encryption_key")
    # With two switched on at once, as an import may do, the one that is new wins.
    channel = next((each for each in section.channels if each is not known.channel), section.channels[0])
    secrets = {}
    for name in _SECRETS:
        change = getattr(section, name).new
        secrets[name] = getattr(known, name) if change is None else change.strip()
    return replace(
        known,
        channel=channel,
        threshold_micro_usd=section.threshold_micro_usd,
        notification_email=section.email_address,
        webhook_url=section.webhook_url,
        gotify_url=section.gotify_url,
        gotify_priority=section.gotify_priority,
        **secrets,
    )
