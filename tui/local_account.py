"""The account on this machine's own store: the one place where the event loop and the blocking store meet.

Every call runs in a worker thread. The session's token lives here and nowhere else; a screen never holds it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from store.errors import SessionEnded
from tui import account_queries
from tui.account import (
    BindingOverview,
    DeviceLogin,
    FoundIdentity,
    PasskeyPage,
    PriceOverview,
    S,
    SecurityOverview,
    SignInWays,
    Summary,
)
from tui.device_logins import DeviceLogins
from tui.files import LocalFiles
from tui.held_session import HeldSession
from tui.origin import peer, source
from tui.store_location import new_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from store.access_token import NewAccessToken
    from store.api_keys import ApiKeyInfo, NewApiKey
    from store.audit import Event
    from store.email_route import EmailRoute
    from store.outbox import LastDelivery
    from store.passkey_ceremonies import CeremonyStarted, CeremonyState
    from store.pricing import ModelPrice
    from store.quota import QuotaState
    from store.sections import Channel
    from store.settings import Saved
    from store.sign_in import SecondFactorNeeded, SignedIn
    from store.store import Store
    from store.strength import Strength
    from store.two_factor import Enrolment, TwoFactorStatus
    from store.usage_log import DayTotal, Kind, UsagePage
    from tui.store_location import Options

P = ParamSpec("P")
T = TypeVar("T")


class LocalAccount:
    """`AccountService` on an embedded store."""

    def __init__(self, options: Options, *, opened: Store | None = None, token: str = "") -> None:
        """`opened` is a store that is open already, and `token` a session on it: both for tests."""
        self._options = options
        self._opened = opened
        self._session = HeldSession(token)
        self._new_files = new_files(options)
        self.files = LocalFiles(self._new_files)
        self._logins = DeviceLogins()
        self._was_opened = asyncio.Event()
        if opened is not None:
            self._was_opened.set()

    # -- opening and signing in ------------------------------------------------------------------------------

    @property
    def is_demo(self) -> bool:
        return self._options.demo

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    @property
    def starts_signed_in(self) -> bool:
        return self._options.demo or bool(self._token)

    def now(self) -> datetime:
        from store.clock import SystemClock

        clock = self._opened.context.clock if self._opened else SystemClock()
        return clock.now()

    async def open(self) -> bool:
        is_first_run = await asyncio.to_thread(self._open)
        self._was_opened.set()
        return is_first_run

    async def until_open(self) -> None:
        await self._was_opened.wait()

    async def close(self) -> None:
        await self._logins.drop()
        if self._opened is not None:
            store, self._opened = self._opened, None
            await asyncio.to_thread(store.close)

    async def ways_to_sign_in(self) -> SignInWays:
        return await asyncio.to_thread(account_queries.ways_to_sign_in, self._store)

    async def estimate_password(self, password: str, *known_words: str) -> Strength:
        from store.strength import estimate

        return await asyncio.to_thread(estimate, password, known_words)

    @property
    def sign_in_notice(self) -> str:
        return self._session.notice

    async def shortest_password(self) -> int:
        return await asyncio.to_thread(self._store.passwords.shortest, self._token)

    async def check_new_password(self, password: str, *known_words: str) -> None:
        await asyncio.to_thread(account_queries.check_new_password, self._store, self._token, password, known_words)

    async def create_account(self, name: str, email: str, password: str) -> None:
        await asyncio.to_thread(self._create, name, email, password)

    async def sign_in(self, name: str, password: str) -> SecondFactorNeeded | None:
        return await self._enter(self._store.sign_in.with_password, name, password, source=source(), peer=peer())

    async def enter_code(self, step: SecondFactorNeeded, code: str) -> None:
        await self._enter(self._store.sign_in.with_code, step.ticket, code)

    async def sign_out(self) -> None:
        if not self._session.is_none:
            await asyncio.to_thread(self._session.end, self._store.sessions.end)

    async def lock(self) -> None:
        await asyncio.to_thread(self._store.sessions.lock, self._token)

    async def prove_with_password(self, password: str) -> None:
        await self._ask(self._store.sign_in.prove_with_password, password)

    async def prove_with_code(self, code: str) -> None:
        await self._ask(self._store.sign_in.prove_with_code, code)

    # -- the page --------------------------------------------------------------------------------------------

    async def summary(self) -> Summary:
        return await self._ask(partial(account_queries.summary, self._store))

    async def load(self, kind: type[S]) -> Saved[S]:
        return await asyncio.to_thread(self._store.settings.load, self._held, kind)

    async def save(self, section: S, version: int) -> Saved[S]:
        return await asyncio.to_thread(self._store.settings.save, self._held, section, version)

    # -- security --------------------------------------------------------------------------------------------

    async def security(self) -> SecurityOverview:
        return await self._ask(partial(account_queries.security, self._store))

    async def events(self, before: int | None = None) -> list[Event]:
        return await self._ask(self._events, before)

    async def change_password(self, original: str, new: str, confirmation: str) -> None:
        await self._ask(self._store.passwords.change, original, new, confirmation)
        self._session.short_of = 0

    async def generate_token(self) -> NewAccessToken:
        return await self._ask(self._store.access_token.generate)

    async def revoke_token(self) -> None:
        await self._ask(self._store.access_token.revoke)

    async def begin_two_factor(self) -> Enrolment:
        return await self._ask(self._store.two_factor.begin)

    async def confirm_codes_saved(self, code: str) -> None:
        await self._ask(self._store.two_factor.confirm_saved, code)

    async def complete_two_factor(self, code: str) -> TwoFactorStatus:
        status = await self._ask(self._store.two_factor.complete, code)
        self._session.short_of = 0
        return status

    async def cancel_two_factor(self) -> None:
        await self._ask(self._store.two_factor.cancel)

    async def disable_two_factor(self, password: str = "") -> None:
        await self._ask(self._store.two_factor.disable, password)

    async def renew_backup_codes(self) -> tuple[str, ...]:
        return await self._ask(self._store.two_factor.renew_codes)

    async def sign_out_others(self) -> int:
        return await self._ask(self._store.sessions.sign_out_others)

    async def revoke_session(self, session_id: int) -> None:
        await self._ask(self._store.sessions.revoke, session_id)

    async def check_deletable(self) -> bool:
        return await self._ask(self._store.deletion.refuse_if_protected)

    async def delete_account(self, typed_name: str) -> bool:
        deleted = await self._ask(self._store.deletion.delete, typed_name)
        self._token = ""
        return deleted.is_off_disk

    async def export_to(self, path: Path) -> Path:
        return await self._ask(self._export, path)

    # -- passkeys --------------------------------------------------------------------------------------------

    async def begin_passkey_registration(self, label: str) -> PasskeyPage:
        return await self._page(await self._ask(self._store.ceremonies.begin_registration, label))

    async def begin_passkey_proof(self) -> PasskeyPage:
        return await self._page(await self._ask(self._store.ceremonies.begin_proof))

    async def begin_passkey_sign_in(self) -> PasskeyPage:
        begin = self._store.ceremonies.begin_sign_in
        return await self._page(await asyncio.to_thread(begin, source=source(), peer=peer()))

    async def passkey_outcome(self, page: PasskeyPage) -> CeremonyState:
        return await asyncio.to_thread(self._store.ceremonies.outcome, page.started.ticket)

    async def finish_passkey_sign_in(self, page: PasskeyPage) -> SecondFactorNeeded | None:
        collect = self._store.ceremonies.collect_sign_in
        return await self._enter(collect, page.started.ticket, source=source(), peer=peer())

    async def cancel_passkey(self, page: PasskeyPage) -> None:
        await asyncio.to_thread(self._store.ceremonies.cancel, page.started.ticket)

    async def rename_passkey(self, passkey_id: int, label: str) -> None:
        await self._ask(self._store.passkeys.rename, passkey_id, label)

    async def remove_passkey(self, passkey_id: int) -> None:
        await self._ask(self._store.passkeys.remove, passkey_id)

    # -- bindings --------------------------------------------------------------------------------------------

    async def bindings(self) -> BindingOverview:
        return await self._ask(partial(account_queries.bindings, self._store))

    async def begin_device_login(self, slug: str) -> DeviceLogin:
        info = await asyncio.to_thread(self._store.bindings.provider, slug)
        return await self._logins.begin(info, self._store.context.clock)

    async def wait_for_identity(self, login: DeviceLogin, *, told: Callable[[bool], None]) -> FoundIdentity:
        return await self._logins.wait(login, told=told)

    async def bind(self, identity: FoundIdentity) -> None:
        await self._ask(self._store.bindings.bind, identity.provider.slug, identity.subject, identity.display)

    async def sign_in_with(self, identity: FoundIdentity) -> SecondFactorNeeded | None:
        return await self._enter(
            self._store.bindings.sign_in, identity.provider.slug, identity.subject, source=source()
        )

    async def unbind(self, binding_id: int) -> None:
        await self._ask(self._store.bindings.unbind, binding_id)

    # -- other settings --------------------------------------------------------------------------------------

    async def last_deliveries(self) -> dict[Channel, LastDelivery]:
        return await self._ask(self._store.outbox.last_deliveries)

    async def send_test(self, channel: Channel) -> LastDelivery:
        from gateway.dispatcher import deliver_now

        delivery_id = await self._ask(self._store.outbox.enqueue_test, channel)
        await deliver_now(self._store, delivery_id)
        deliveries = await self.last_deliveries()
        return deliveries[channel]

    async def email_route(self) -> EmailRoute:
        return await self._ask(self._store.email_confirmations.route)

    async def confirm_email(self, code: str) -> EmailRoute:
        return await self._ask(self._store.email_confirmations.confirm, code)

    async def pricing(self) -> PriceOverview:
        return await self._ask(partial(account_queries.pricing, self._store))

    async def count_ips(self) -> int:
        return await self._ask(self._store.usage.count_ips)

    async def erase_ips(self) -> int:
        return await self._ask(self._store.usage.erase_ips)

    # -- the other modules -----------------------------------------------------------------------------------

    async def quota(self) -> QuotaState:
        return await self._ask(self._store.quota.state)

    async def days(self, count: int = 30) -> list[DayTotal]:
        return await self._ask(self._store.usage.days, count)

    async def usage(self, kind: Kind | None, before: int | None = None, model: str | None = None) -> UsagePage:
        return await self._ask(self._usage, kind, before, model)

    async def prices(self) -> list[ModelPrice]:
        return await asyncio.to_thread(self._store.pricing.all)

    async def api_keys(self) -> list[ApiKeyInfo]:
        return await self._ask(self._store.api_keys.list)

    async def create_api_key(
        self, name: str, expires_at: datetime | None, spend_limit_micro_usd: int | None
    ) -> NewApiKey:
        return await asyncio.to_thread(
            self._store.api_keys.create,
            self._held,
            name,
            expires_at=expires_at,
            spend_limit_micro_usd=spend_limit_micro_usd,
        )

    async def revoke_api_key(self, key_id: int) -> None:
        await self._ask(self._store.api_keys.revoke, key_id)

    # -- inside, on the event loop ---------------------------------------------------------------------------

    @property
    def _store(self) -> Store:
        if self._opened is None:
            raise SessionEnded
        return self._opened

    @property
    def _held(self) -> str:
        if not self._token:
            raise SessionEnded
        return self._token

    async def _ask(self, rule: Callable[..., T], *arguments: object) -> T:
        """Run `rule(token, *arguments)` in a thread."""
        return await asyncio.to_thread(rule, self._held, *arguments)

    async def _enter(
        self, rule: Callable[..., SignedIn | SecondFactorNeeded], *arguments: object, **options: object
    ) -> SecondFactorNeeded | None:
        """Sign in by `rule(*arguments)` in a thread."""
        return await asyncio.to_thread(self._session.enter, partial(rule, *arguments, **options))

    @property
    def _token(self) -> str:
        return self._session.token

    @_token.setter
    def _token(self, token: str) -> None:
        self._session.token = token

    async def _page(self, started: CeremonyStarted) -> PasskeyPage:
        return await asyncio.to_thread(account_queries.passkey_page, self._store, started)

    # -- inside, in a thread ---------------------------------------------------------------------------------

    def _open(self) -> bool:
        if self._opened is not None:
            return self._opened.accounts.is_empty()
        if self._options.demo:
            from tui.demo import open_demo

            self._opened, self._token = open_demo()
            return False
        from tui.store_location import open_account_store

        self._opened = open_account_store(self._options, create=True)
        return self._opened.accounts.is_empty()

    def _create(self, name: str, email: str, password: str) -> None:
        info = self._store.accounts.create(
            name, password, email=email, actor="first run", source=source(), only_if_first=True
        )
        with_password = self._store.sign_in.with_password
        self._session.enter(partial(with_password, info.name, password, source=source(), peer=peer()))

    def _events(self, token: str, before: int | None) -> list[Event]:
        store = self._store
        with store.sessions.reading(token) as (tx, acting):
            return store.audit.page(tx, acting.account_id, before=before)

    def _usage(self, token: str, kind: Kind | None, before: int | None, model: str | None) -> UsagePage:
        return self._store.usage.page(token, kind=kind, before=before, model=model)

    def _export(self, token: str, path: Path) -> Path:
        return self._new_files.write(path, self._store.exports.document(token))
