"""Logins at identity providers with a code that is typed on another device (RFC 8628): at most one at a time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from store.errors import SignInExpired

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.device_flow import DeviceFlow
    from store.clock import Clock
    from store.values.bindings import ProviderInfo
    from tui.account import DeviceLogin, FoundIdentity


class _OpenFlow(NamedTuple):
    """A login that has begun, and its open connections."""

    user_code: str
    flow: DeviceFlow
    connections: AsyncExitStack


class DeviceLogins:
    """Begins a login, and waits for its identity."""

    def __init__(self) -> None:
        self._flow: _OpenFlow | None = None

    async def begin(self, info: ProviderInfo, clock: Clock) -> DeviceLogin:
        """Ask the provider for a code. A login that nobody waits for yet is dropped.

        Raises what `DeviceFlow.start` raises.
        """
        from gateway.device_flow import DeviceFlow
        from gateway.providers import Provider, ProviderKind
        from tui.account import DeviceLogin
        from tui.provider_client import provider_client

        await self.drop()
        provider = Provider(
            slug=info.slug,
            name=info.name,
            client_id=info.client_id,
            issuer=info.issuer,
            kind=ProviderKind(info.kind.value),
            client_secret=info.client_secret or "",
        )
        async with AsyncExitStack() as connections:
            client = await connections.enter_async_context(await asyncio.to_thread(provider_client))
            flow = DeviceFlow(client, provider, clock)
            shown = await flow.start()
            self._flow = _OpenFlow(shown.user_code, flow, connections.pop_all())
        return DeviceLogin(
            provider=replace(info, client_secret=None),
            user_code=shown.user_code,
            verification_uri=shown.verification_uri,
            complete_uri=shown.verification_uri_complete,
            expires_at=shown.expires_at,
        )

    async def wait(self, login: DeviceLogin, *, on_poll: Callable[[bool], None]) -> FoundIdentity:
        """Poll until the provider has an answer; `on_poll` is called with whether it could be reached.

        Raises `SignInExpired` for a login that another has replaced, and what `DeviceFlow.poll` raises.
        """
        from gateway.device_flow import Pending
        from tui.account import FoundIdentity

        begun = self._flow
        if begun is None or begun.user_code != login.user_code:
            raise SignInExpired
        self._flow = None
        async with begun.connections:
            while isinstance(found := await begun.flow.poll(), Pending):
                on_poll(found.reachable)
        return FoundIdentity(login.provider, found.subject, found.display)

    async def drop(self) -> None:
        """Close a login that nobody waits for, if there is one."""
        flow, self._flow = self._flow, None
        if flow is not None:
            await flow.connections.aclose()
