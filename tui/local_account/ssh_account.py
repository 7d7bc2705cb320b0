"""The account of a person who came over SSH, signed in by the server or not yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from store.values.drawer import FetchPlace
from tui.local_account import LocalAccount

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.store import Store
    from store.values.sign_in import SignedIn
    from tui.store_location import Options


class SshAccount(LocalAccount):
    """`tui.account.AccountService` on a store that exists: it creates no database, no key and no first account."""

    def __init__(
        self,
        options: Options,
        answer: SignedIn | None,
        announce: Callable[[bytes], None],
        *,
        opened: Store | None = None,
        fetch_place: FetchPlace | None = None,
    ) -> None:
        """`answer` is the session that the server opened. The server ends it if this console cannot, and every session
        of which `announce` tells it (`store.sessions.Sessions.announce`). `fetch_place` is where the server answers;
        without it files are off."""
        super().__init__(options, opened=opened, fetch_place=fetch_place)
        self._answer = answer
        self._announce = announce

    @property
    def starts_signed_in(self) -> bool:
        return self._answer is not None

    @property
    def starts_empty(self) -> bool:
        return False

    async def place(self) -> str:
        """Not where the data is: that is the server's business."""
        return "over SSH"

    def _open(self) -> bool:
        if self._opened is None:
            from tui.store_location import open_account_store

            self._opened = open_account_store(self._options, create=False)
            self._opened.sessions.announce = self._announce
        if self._answer is not None:
            answer, self._answer = self._answer, None
            self._enter_now(lambda: answer)
        return False


_NO_PLACE: Final = FetchPlace("", 0, asks_password=False)


class NobodysAccount(SshAccount):
    """The account of a console that waits for its person: it looks like any over SSH, and is never open."""

    def __init__(self, options: Options) -> None:
        super().__init__(options, None, lambda _: None, fetch_place=_NO_PLACE)

    async def open(self) -> bool:
        await asyncio.Event().wait()
        return False
