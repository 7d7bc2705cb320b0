"""Identities at other providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store.errors import NotAllowed
from tui.local_account.topic import LocalTopic
from tui.origin import source

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.store import Store
    from store.values.sign_in import SecondFactorNeeded
    from tui.account import BindingOverview, BrowserLogin, DeviceLogin, FoundIdentity

_BY_CODE: Final = "A provider is asked for a code here."
_BY_ADMINISTRATOR: Final = "The administrator enters the address: gatekey admin user set-email."


class LocalBindings(LocalTopic):
    """`BindingService` on the store; the providers are asked from this machine."""

    async def bindings(self) -> BindingOverview:
        return await self._call(_overview, self._store)

    async def begin_device_login(self, slug: str) -> DeviceLogin:
        info = await self._call_without_session(self._store.bindings.provider, slug)
        return await self._logins.begin(info, self._store.context.clock)

    async def wait_for_identity(self, login: DeviceLogin, *, on_poll: Callable[[bool], None]) -> FoundIdentity:
        return await self._logins.wait(login, on_poll=on_poll)

    async def bind(self, identity: FoundIdentity) -> None:
        await self._call(self._store.bindings.bind, identity.provider.slug, identity.subject, identity.display)

    async def begin_browser_login(self, slug: str) -> BrowserLogin:  # noqa: ARG002 (the protocol's)
        raise NotAllowed(_BY_CODE)

    async def bind_by_address(self, login: BrowserLogin, landed_at: str) -> None:  # noqa: ARG002
        raise NotAllowed(_BY_CODE)

    async def send_email_code(self, address: str) -> None:  # noqa: ARG002
        raise NotAllowed(_BY_ADMINISTRATOR)

    async def bind_email(self, address: str, code: str) -> None:  # noqa: ARG002
        raise NotAllowed(_BY_ADMINISTRATOR)

    async def sign_in_with_identity(self, identity: FoundIdentity) -> SecondFactorNeeded | None:
        sign_in = self._store.bindings.sign_in
        return await self._enter(sign_in, identity.provider.slug, identity.subject, source=source())

    async def unbind(self, binding_id: int) -> None:
        await self._call(self._store.bindings.unbind, binding_id)


def _overview(token: str, store: Store) -> BindingOverview:
    from tui.account import BindingOverview

    return BindingOverview(store.bindings.is_enabled(), tuple(store.bindings.list(token)))
