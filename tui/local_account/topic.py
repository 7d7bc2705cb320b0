"""The base of every topic: the open store, the session, and the calls that run in a worker thread."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from store.errors import GatekeyError, SessionEnded
from tui.data_place import is_absent
from tui.local_account.device_logins import DeviceLogins
from tui.local_account.files import LocalFiles
from tui.local_account.held_session import HeldSession
from tui.store_location import new_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.playground import Playground
    from store.drawer_parts import Content
    from store.store import Store
    from store.values.drawer import FetchPlace
    from store.values.sign_in import SecondFactorNeeded, SignedIn
    from tui.store_location import Options

P = ParamSpec("P")
T = TypeVar("T")


class LocalTopic:
    """The base of each topic. The token of the session stays in here: no screen holds it."""

    def __init__(
        self, options: Options, *, opened: Store | None = None, token: str = "", fetch_place: FetchPlace | None = None
    ) -> None:
        """`fetch_place` is the server of the drawer, into which everything goes that would be saved as a file.

        `opened` is a store that is open already, and `token` a session on it: both for tests.
        """
        self._options = options
        self._opened = opened
        self._is_absent = opened is None and is_absent(options, os.environ)
        self._session = HeldSession(token)
        self._new_files = new_files(options)
        self._logins = DeviceLogins()
        self._playground: Playground | None = None
        """Opened by its first question."""
        self._opening: asyncio.Task[bool] | None = None
        """The last opening. All who call `open` meanwhile wait for it."""
        self._was_opened = asyncio.Event()
        if opened is not None:
            self._was_opened.set()
        self._fetch_place = fetch_place
        self.files = LocalFiles(self._new_files, None if fetch_place is None else self._put)

    @property
    def _store(self) -> Store:
        """The open store. Raises `SessionEnded` before it is open."""
        if self._opened is None:
            raise SessionEnded
        return self._opened

    @property
    def _token(self) -> str:
        """The token of the session; empty without one."""
        return self._session.token

    @_token.setter
    def _token(self, token: str) -> None:
        self._session.token = token

    def _save_now(self, token: str, path: Path, content: Content) -> Path:
        """Save to a new file, or to the drawer under the last part of `path`; returns where it is. Blocks."""
        if self._fetch_place is None:
            return self._new_files.write(path, content)
        from pathlib import Path

        return Path(self._store.drawer.put(token, path.name, content).name)

    async def _put(self, path: Path, text: str | bytes) -> Path:
        return await self._call(self._save_now, path, text)

    async def _call(self, function: Callable[Concatenate[str, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function(token, *args, **kwargs)` in a worker thread. Raises `SessionEnded` without a session."""
        if not self._token:
            raise SessionEnded
        return await asyncio.to_thread(function, self._token, *args, **kwargs)

    async def _call_without_session(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function(*args, **kwargs)` in a worker thread."""
        return await asyncio.to_thread(function, *args, **kwargs)

    async def _enter(
        self, sign_in: Callable[P, SignedIn | SecondFactorNeeded], /, *args: P.args, **kwargs: P.kwargs
    ) -> SecondFactorNeeded | None:
        """Run `sign_in(*args, **kwargs)` in a worker thread, and hold the session that it opened."""
        return await asyncio.to_thread(self._enter_now, lambda: sign_in(*args, **kwargs))

    def _enter_now(self, sign_in: Callable[[], SignedIn | SecondFactorNeeded]) -> SecondFactorNeeded | None:
        step = self._session.enter(sign_in)
        if step is None:
            # The session is open, whether or not the log can be read.
            with suppress(GatekeyError):
                self._session.news = self._store.sign_in_history.news(self._token)
        return step
