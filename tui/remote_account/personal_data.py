"""The deletion of the account, of which the server keeps most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from store.errors import NotOnThisServer, RootAccount, UsernameDoesNotMatch
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from pathlib import Path


class RemotePersonalData(RemoteTopic):
    """`PersonalDataService` on a server."""

    async def check_deletable(self) -> bool:
        from remote.own_account import Role

        account = await self._account()
        if account.role is Role.ROOT:
            raise RootAccount
        return False

    async def delete_account(self, typed_name: str) -> bool:
        account = await self._account()
        if typed_name != account.name:
            raise UsernameDoesNotMatch(field="username")
        await self._client.delete_account()
        return False

    async def export_to(self, *_: Any) -> Path:
        raise NotOnThisServer
