"""Identities at other providers: which are bound. They are bound and unbound on the server's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from store.errors import NotOnThisServer
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from store.values.bindings import BindingInfo
    from tui.account import BindingOverview


class RemoteBindings(RemoteTopic):
    """`BindingService` on a server."""

    async def bindings(self) -> BindingOverview:
        """Every provider that is switched on or bound."""
        from tui.account import BindingOverview

        found = await self._client.bindings.all(await self._account())
        shown = sorted((one for one in found if one.is_enabled or one.is_bound), key=lambda one: one.name.casefold())
        return BindingOverview(bool(shown), tuple(_binding(one.slug, one.name, one.identity) for one in shown))

    async def begin_device_login(self, *_: Any) -> Any:
        raise NotOnThisServer

    async def wait_for_identity(self, *_: Any, **__: Any) -> Any:
        raise NotOnThisServer

    async def bind(self, *_: Any) -> None:
        raise NotOnThisServer

    async def sign_in_with_identity(self, *_: Any) -> Any:
        raise NotOnThisServer

    async def unbind(self, *_: Any) -> None:
        raise NotOnThisServer


def _binding(slug: str, name: str, identity: str) -> BindingInfo:
    from store.values.bindings import BindingInfo, ProviderInfo, ProviderKind

    provider = ProviderInfo(0, slug, name, ProviderKind.OIDC, "", "")
    return BindingInfo(provider, 1 if identity else None, identity, None, None)
