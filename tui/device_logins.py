"""Logins at identity providers by a code typed on another device (RFC 8628): one at a time, or none."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from store.errors import SignInExpired
from tui.account import DeviceLogin, FoundIdentity

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.device_flow import DeviceFlow
    from store.bindings import ProviderInfo
    from store.clock import Clock


@dataclass(frozen=True, slots=True)
class _OpenFlow:
    """A login that has begun, and the connections that are closed with it."""

    user_code: str
    flow: DeviceFlow
    connections: AsyncExitStack


class DeviceLogins:
    """The login that somebody waits for."""

    def __init__(self) -> None:
        self._flow: _OpenFlow | None = None

    async def begin(self, info: ProviderInfo, clock: Clock) -> DeviceLogin:
        """Ask the provider for a code; one that was asked for before is let go. Raises `ProviderFailed`."""
        from gateway.device_flow import DeviceFlow
        from gateway.providers import Provider, ProviderKind
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

    async def wait(self, login: DeviceLogin, *, told: Callable[[bool], None]) -> FoundIdentity:
        """Ask until the provider has an answer; `told` hears whether it can be reached.

        Raises `SignInExpired` for a login that another has replaced.
        """
        from gateway.device_flow import Pending

        begun = self._flow
        if begun is None or begun.user_code != login.user_code:
            raise SignInExpired
        self._flow = None
        async with begun.connections:
            while isinstance(found := await begun.flow.poll(), Pending):
                told(found.reachable)
        return FoundIdentity(login.provider, found.subject, found.display)

    async def drop(self) -> None:
        """Let go of a login that nobody waits for."""
        flow, self._flow = self._flow, None
        if flow is not None:
            await flow.connections.aclose()
