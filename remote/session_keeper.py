"""The session of one account: held in memory, kept on disk where that is wanted, and refreshed by one at a time.

A refresh cookie is good for one use, and using an old one again ends the session. So tasks of this program wait for
each other, and programs that share a kept session do so by a lock file: who comes second takes what the first one got.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Final

from remote.kept_sessions import KeptSession, KeptSessions
from remote.patience import Sleep
from remote.sessions import BearerSession, Credential
from store.errors import SessionEnded, StoreUnavailable

Renew = Callable[[BearerSession], Awaitable[BearerSession]]
_LOCK_TRIES: Final = 400
_LOCK_PAUSE_S: Final = 0.1
"""40 seconds in all, a little more than an exchange may take. Then the refresh goes ahead without the lock."""


class SessionKeeper:
    """Holds the credential of an account on `server`. Without `kept` it is in memory only."""

    def __init__(self, server: str, kept: KeptSessions | None = None, *, sleep: Sleep = asyncio.sleep) -> None:
        self._server = server
        self._kept = kept
        self._sleep = sleep
        self._name = ""
        self._credential: Credential | None = None
        self._owed: Mapping[str, Any] | None = None
        self._channels: Mapping[str, Any] | None = None
        self._refresh_under_way: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The name that the session was opened with; empty without one."""
        return self._name

    @property
    def credential(self) -> Credential | None:
        return self._credential

    @property
    def owed(self) -> Mapping[str, Any] | None:
        """The values that an interrupted save wiped on the server and did not put back."""
        return self._owed

    @property
    def keeps_on_disk(self) -> bool:
        """True if the session outlives the program."""
        return self._kept is not None

    @property
    def channels(self) -> Mapping[str, Any] | None:
        """The fields of the channels that the server forgets. They hold secrets."""
        return self._channels

    async def resume(self, name: str) -> bool:
        """Take up the kept session of `name`. Returns False if there is none, or if it has ended."""
        found = None if self._kept is None else await asyncio.to_thread(self._kept.load, self._server, name)
        if found is None or found.credential is None:
            return False
        self._name, self._credential = found.name, found.credential
        self._owed, self._channels = found.owed, found.channels
        return True

    async def open(self, name: str, credential: Credential) -> None:
        """Begin with a new session. What an earlier session of that name still owes and has kept is taken over.

        Raises `StoreUnavailable` if it cannot be kept; it is held in memory all the same.
        """
        if name != self._name:
            self._owed = self._channels = None
            earlier = None if self._kept is None else await asyncio.to_thread(self._kept.load, self._server, name)
            if earlier is not None:
                self._owed, self._channels = earlier.owed, earlier.channels
        self._name, self._credential = name, credential
        await self._store()

    async def put(self, credential: Credential) -> None:
        """Go on with another credential of the same session. Raises `StoreUnavailable`."""
        if credential != self._credential:
            self._credential = credential
            await self._store()

    async def owe(self, owed: Mapping[str, Any] | None) -> None:
        """Note what has to be put back on the server, before it is wiped there; None once it is. As `put`."""
        if owed != self._owed:
            self._owed = owed
            await self._store()

    async def keep_channels(self, channels: Mapping[str, Any]) -> None:
        """Keep the fields of the channels that the server forgets. As `put`."""
        if channels != self._channels:
            self._channels = channels
            await self._store()

    async def end(self, *, forget: bool) -> None:
        """Hold no session any more. What is owed and kept stays for the next one, unless `forget` removes the file."""
        if self._credential is None:
            return
        name, ended, self._credential = self._name, self._credential, None
        if self._kept is not None and (forget or (self._owed is None and self._channels is None)):
            await asyncio.to_thread(self._kept.forget, self._server, name)
        elif self._kept is not None:
            await asyncio.to_thread(self._note_ended, self._kept, ended)
        if forget:
            self._name, self._owed, self._channels = "", None, None

    def _note_ended(self, kept: KeptSessions, ended: Credential) -> None:
        """Note on the disk that a session has ended, unless another program has a later one there. Blocks."""
        found = kept.load(self._server, self._name)
        if found is not None and found.credential == ended:
            # That it cannot be written changes nothing: the server says again that it has ended.
            with suppress(StoreUnavailable):
                kept.keep(replace(found, credential=None))

    async def forget_kept(self, name: str) -> None:
        """Remove what is kept of the session of `name`, if it was not taken up. Raises `StoreUnavailable`."""
        if self._kept is not None:
            await asyncio.to_thread(self._kept.forget, self._server, name)

    async def refresh(self, stale: BearerSession, renew: Renew) -> None:
        """Replace `stale` by the session that `renew` gets for it, unless somebody did so already.

        Raises what `renew` raises, and `SessionEnded` if the session was ended meanwhile.
        """
        if self._credential is None:
            raise SessionEnded
        if self._credential != stale:
            return
        if self._refresh_under_way is None:
            self._refresh_under_way = asyncio.create_task(self._refresh(stale, renew))
            self._refresh_under_way.add_done_callback(self._refreshed)
        # A task that waits for its own answer may be cancelled; the new cookie has to be stored all the same, or the
        # session is lost.
        await asyncio.shield(self._refresh_under_way)

    async def _refresh(self, stale: BearerSession, renew: Renew) -> None:
        if self._kept is None:
            await self._renew(stale, renew)
            return
        async with self._locked(self._kept):
            found = await asyncio.to_thread(self._kept.load, self._server, self._name)
            if found is not None and _is_another_of(found.credential, stale):
                self._credential = found.credential
            else:
                await self._renew(stale, renew)

    async def _renew(self, stale: BearerSession, renew: Renew) -> None:
        fresh = await renew(stale)
        if self._credential == stale:
            self._credential = replace(fresh, user_id=stale.user_id)
            await self._store()

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refresh_under_way = None
        if not task.cancelled():
            task.exception()  # it was raised where it was waited for, if anybody still waits

    @asynccontextmanager
    async def _locked(self, kept: KeptSessions) -> AsyncIterator[None]:
        for _ in range(_LOCK_TRIES):
            lock = kept.locked(self._server, self._name)
            is_locked = await asyncio.to_thread(lock.__enter__)
            try:
                if is_locked:
                    yield
                    return
            finally:
                await asyncio.to_thread(lock.__exit__, None, None, None)
            await self._sleep(_LOCK_PAUSE_S)
        yield

    async def _store(self) -> None:
        if self._kept is not None and self._credential is not None:
            session = KeptSession(self._server, self._name, self._credential, self._owed, self._channels)
            await asyncio.to_thread(self._kept.keep, session)


def _is_another_of(found: Credential | None, stale: BearerSession) -> bool:
    """True if `found` is a later state of the session `stale`, or a newer session of the same account."""
    return isinstance(found, BearerSession) and found.user_id == stale.user_id and found != stale
