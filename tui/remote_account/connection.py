"""The connection: one server, and what it cannot do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from store.errors import GatekeyError
from tui.remote_account.limits import capabilities_of
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tui.account import Capabilities, DemoCredentials


class RemoteConnection(RemoteTopic):
    """`ConnectionService` on a server."""

    @property
    def demo_credentials(self) -> DemoCredentials | None:
        return None

    @property
    def capabilities(self) -> Capabilities:
        client = self._connected
        by_token = client is not None and client.is_signed_in and client.signed_in_with_token
        keeps = bool(self._resumes) if client is None else client.settings.keeps_on_disk
        keeps = keeps and not self._could_not_keep_fields
        return capabilities_of(self._facts, self._address, by_token=by_token, keeps_fields=keeps)

    @property
    def server(self) -> str:
        return self._address.url

    @property
    def name(self) -> str:
        """The name of the account that is signed in; empty without a session."""
        return "" if self._connected is None else self._connected.name

    @property
    def is_open(self) -> bool:
        return self._facts is not None

    @property
    def starts_signed_in(self) -> bool:
        return bool(self._resumes)

    @property
    def starts_empty(self) -> bool:
        return False

    def now(self) -> datetime:
        return self._now()

    def tell_waits(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    async def open(self) -> bool:
        """Ask the server what it is, and take up the kept session. Nobody creates a first account here."""
        async with self._one_opening:
            try:
                if self._connected is None:
                    self._connected = await asyncio.to_thread(self._connect, self._told)
                if self._facts is None:
                    if self._resumes and not self._client.is_signed_in:
                        await self._client.resume(self._resumes)
                    self._facts = await self._client.facts()
                    self._was_opened.set()
            except GatekeyError:
                self._has_failed_to_open = True
                raise
        return False

    async def wait_until_open(self) -> None:
        if self._has_failed_to_open and self._facts is None:
            await self.open()
        await self._was_opened.wait()

    async def place(self) -> str:
        return self._address.url

    async def close(self) -> None:
        for reading in self._readings:
            reading.cancel()
        if self._connected is not None:
            await self._connected.aclose()
