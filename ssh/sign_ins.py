"""Sign-ins of the front process: the blocking store behind the event loop, and no session that nobody holds."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from store.errors import GatekeyError
from store.store import Store
from store.values.sign_in import SecondFactorNeeded, SignedIn
from tui.origin import peer

LOGGER: Final = logging.getLogger("gatekey.ssh")
THREADS: Final = 4
"""Threads that hash passwords and query the database. Both release the interpreter lock."""
SIGN_IN_SCREEN: Final = "ssh.sign_in_screen"
"""The site's switch for the sign-in screen without a sign-in over SSH."""

Entered = SignedIn | SecondFactorNeeded


class SignIns:
    """Signs in people who are not in the console yet. Its coroutines run on one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(THREADS, "gatekey-ssh")

    async def offers_screen(self) -> bool:
        """True if the site lets strangers see the sign-in screen; False if the database does not answer."""
        try:
            return await asyncio.wrap_future(self._pool.submit(self._store.site.flag, SIGN_IN_SCREEN))
        except GatekeyError:
            return False

    async def is_registered(self, fingerprint: str) -> bool:
        """True if any account has this key; False if the database does not answer."""
        try:
            return await asyncio.wrap_future(self._pool.submit(self._store.ssh_keys.is_registered, fingerprint))
        except GatekeyError:
            return False

    async def with_key(self, fingerprint: str, name: str, address: str) -> Entered:
        """Raises the errors of `store.sign_in.with_ssh_key`."""
        return await self._enter(
            lambda: self._store.sign_in.with_ssh_key(fingerprint, name, source=source(address), peer=peer_of(address))
        )

    async def with_password(self, name: str, password: str, address: str) -> Entered:
        """Raises the errors of `store.sign_in.with_password`."""
        return await self._enter(
            lambda: self._store.sign_in.with_password(name, password, source=source(address), peer=peer_of(address))
        )

    async def with_code(self, step: SecondFactorNeeded, code: str) -> Entered:
        """Raises the errors of `store.sign_in.with_code`."""
        return await self._enter(lambda: self._store.sign_in.with_code(step.ticket, code))

    def end(self, token: str) -> None:
        """End a session in a thread, if it has not ended yet."""
        self._pool.submit(self._ended, lambda: self._store.sessions.end(token))

    def end_announced(self, hashed: bytes) -> None:
        """End a session that a console announced, in a thread, if it has not ended yet."""
        self._pool.submit(self._ended, lambda: self._store.sessions.end_announced(hashed))

    async def close(self) -> None:
        """Wait until every session that was given up has ended."""
        await asyncio.to_thread(self._pool.shutdown)

    async def _enter(self, sign_in: Callable[[], Entered]) -> Entered:
        future = self._pool.submit(sign_in)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            # The client has gone, but the thread may open a session all the same.
            future.add_done_callback(self._discard)
            raise

    def _discard(self, future: "Future[Entered]") -> None:
        if not future.cancelled() and future.exception() is None:
            answer = future.result()
            if isinstance(answer, SignedIn):
                token = answer.token
                self._ended(lambda: self._store.sessions.end(token))

    def _ended(self, end: Callable[[], None]) -> None:
        try:
            end()
        except GatekeyError as error:
            LOGGER.warning("A session could not be ended: %s", error.title)


def source(address: str) -> str:
    """The origin of a session, for the list of sessions."""
    return f"ssh {address}"


def peer_of(address: str) -> str:
    """The origin of an attempt, for the limit of attempts: the same as that of a console from this address."""
    return peer({"SSH_CONNECTION": address})
