"""Sign-in and the first account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store.errors import NotAllowed
from tui.local_account.topic import LocalTopic
from tui.origin import peer, source

if TYPE_CHECKING:
    from store.store import Store
    from store.values.sign_in import SecondFactorNeeded, SignedIn, SignInNews
    from tui.account import SignInOptions

_BY_ADMINISTRATOR: Final = "An administrator creates accounts: gatekey admin user add."


class LocalSignIn(LocalTopic):
    """`SignInService` on the store."""

    @property
    def sign_in_notice(self) -> str:
        return self._session.notice

    @property
    def sign_in_news(self) -> SignInNews | None:
        return self._session.news

    async def sign_in_options(self) -> SignInOptions:
        return await self._call_without_session(_options, self._store)

    async def create_account(self, name: str, email: str, password: str) -> None:
        await self._enter(_create, self._store, name, email, password)

    async def send_sign_up_code(self, email: str) -> None:  # noqa: ARG002 (the protocol's)
        raise NotAllowed(_BY_ADMINISTRATOR)

    async def sign_up(self, name: str, password: str, email: str = "", code: str = "") -> None:  # noqa: ARG002
        raise NotAllowed(_BY_ADMINISTRATOR)

    async def sign_in(self, name: str, password: str) -> SecondFactorNeeded | None:
        return await self._enter(self._store.sign_in.with_password, name, password, source=source(), peer=peer())

    async def enter_code(self, step: SecondFactorNeeded, code: str) -> None:
        await self._enter(self._store.sign_in.with_code, step.ticket, code)


def _options(store: Store) -> SignInOptions:
    from tui.account import SignInOptions

    providers = store.bindings.providers() if store.bindings.is_enabled() else []
    return SignInOptions(store.passkeys.is_enabled() and bool(store.site.text("passkeys.origin")), tuple(providers))


def _create(store: Store, name: str, email: str, password: str) -> SignedIn | SecondFactorNeeded:
    info = store.accounts.create(name, password, email=email, actor="first run", source=source(), only_if_first=True)
    return store.sign_in.with_password(info.name, password, source=source(), peer=peer())
