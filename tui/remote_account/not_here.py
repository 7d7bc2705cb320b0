"""Methods that the capabilities exclude: no screen calls them, and a caller hears that they are not offered."""

from __future__ import annotations

from typing import Any, NoReturn

from store.errors import NotOnThisServer
from tui.remote_account.topic import RemoteTopic


class RemoteNotHere(RemoteTopic):
    """Topics with nothing behind them. `tui.remote_account.limits` says why, for each."""

    async def add_ssh_key(self, *_: Any) -> Any:
        self._not_here()

    async def rename_ssh_key(self, *_: Any) -> Any:
        self._not_here()

    async def remove_ssh_key(self, *_: Any) -> Any:
        self._not_here()

    async def drawer(self) -> Any:
        self._not_here()

    async def remove_from_drawer(self, *_: Any) -> Any:
        self._not_here()

    def _not_here(self) -> NoReturn:
        raise NotOnThisServer
