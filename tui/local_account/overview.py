"""The summary and the security overview, read from several topics of the store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from store.values.audit import EVERY_EVENT
from tui.local_account.drawer import drawer_overview
from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.store import Store
    from store.values.audit import Event, EventFilter
    from store.values.drawer import FetchPlace
    from store.values.overview import SecurityOverview, Summary

_RECENTLY: Final = timedelta(days=1)


class LocalOverview(LocalTopic):
    """`OverviewService` on the store."""

    async def summary(self) -> Summary:
        return await self._call(_summary, self._store)

    async def security(self) -> SecurityOverview:
        return await self._call(_security, self._store, self._fetch_place)

    async def audit_events(self, before: int | None = None, only: EventFilter = EVERY_EVENT) -> list[Event]:
        return await self._call(_audit_events, self._store, before, only)


def _summary(token: str, store: Store) -> Summary:
    from store.modules import MODULES
    from store.sections import NotificationSettings, SidebarSettings
    from store.site_overrides import modules_hidden_from_all
    from store.values.overview import Summary

    acting = store.sessions.whoami(token)
    with store.database.read() as tx:
        locked = modules_hidden_from_all(store.site, tx)
    hidden = store.settings.load(token, SidebarSettings).section.hidden_modules
    return Summary(
        name=acting.name,
        email=acting.email,
        remaining_micro_usd=store.quota.state(token).remaining_micro_usd,
        threshold_micro_usd=store.settings.load(token, NotificationSettings).section.threshold_micro_usd,
        active_api_keys=store.api_keys.count_active(token),
        errors_today=_errors_today(token, store),
        two_factor=store.two_factor.status(token),
        checks=tuple(store.recommendations.check(token)),
        hidden_modules=(hidden | locked) & frozenset(MODULES),
        locked_modules=locked,
    )


def _errors_today(token: str, store: Store) -> int:
    with store.sessions.reading(token) as (tx, acting):
        (today,) = store.totals.days_of(tx, acting.account_id, 1)
        return today.errors


def _security(token: str, store: Store, place: FetchPlace | None) -> SecurityOverview:
    from store.values.overview import SecurityOverview

    account = store.accounts.get(store.sessions.whoami(token).account_id)
    return SecurityOverview(
        has_password=account.has_password,
        password_changed_at=account.password_changed_at,
        access_token=store.access_token.status(token),
        two_factor=store.two_factor.status(token),
        passkeys_enabled=store.passkeys.is_enabled(),
        passkeys=tuple(store.passkeys.list(token)),
        ssh_keys=store.ssh_keys.list(token),
        sessions=tuple(store.sessions.list(token)),
        failed_sign_ins=_failed_sign_ins(token, store),
        drawer=None if place is None else drawer_overview(token, store, place),
    )


def _failed_sign_ins(token: str, store: Store) -> int:
    with store.sessions.reading(token) as (tx, acting):
        return store.audit.failed_sign_ins(tx, acting.account_id, since=store.context.now() - _RECENTLY)


def _audit_events(token: str, store: Store, before: int | None, only: EventFilter) -> list[Event]:
    with store.sessions.reading(token) as (tx, acting):
        return store.audit.page(tx, acting.account_id, before=before, only=only)
