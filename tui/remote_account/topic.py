"""The base of every topic: the client of the server, and what is known of the server and of the account."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from store.errors import SessionEnded, SessionLocked
from tui.local_account.files import LocalFiles
from tui.store_location import new_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from remote.address import ServerAddress
    from remote.client import RemoteClient
    from remote.generations import ServerFacts
    from remote.own_account import OwnAccount
    from remote.patience import Wait
    from remote.setting_forms import RemoteSettings
    from remote.usage import ModelHour
    from store.clock import Clock
    from store.errors import GatekeyError
    from store.values.dashboard import Dashboard
    from store.values.usage import Kind
    from tui.store_location import Options

    Connect = Callable[[Callable[[Wait], None]], RemoteClient]
    """Makes the client, which tells each wait. It may import and read files: it blocks."""
    ReadUntil = dict[Kind | None, datetime]
    """For each log the time of the newest entry on its first page. The server numbers pages, and new entries would
    shift them. Each reader from page to page has its own."""


class RemoteTopic:
    """The base of each topic. The credential of the session stays in the client: no screen holds it."""

    def __init__(
        self,
        address: ServerAddress,
        connect: Connect,
        options: Options,
        *,
        resumes: str = "",
        clock: Clock | None = None,
    ) -> None:
        """`connect` is called by `open`: the first picture waits for no network library.

        `resumes` is the name whose kept session is taken up then. `clock` is for tests.
        """
        self._address = address
        self._connect = connect
        self._connected: RemoteClient | None = None
        self._options = options
        self._resumes = resumes
        self._clock = clock
        self._facts: ServerFacts | None = None
        self._was_opened = asyncio.Event()
        self._one_opening = asyncio.Lock()
        self._has_failed_to_open = False
        self._is_locked = False
        self._tell: Callable[[str], None] | None = None
        self._code = ""
        """A code that was given as a proof of identity, for the act that asked for it."""
        self._versions: dict[int, RemoteSettings] = {}
        """The settings that were shown, by the version that stands for them. The server has no versions."""
        self._could_not_keep_fields = False
        """True if the fields of the channels that are off could not be written to the disk."""
        self._numbers: dict[str, int] = {}
        """The numbers by which screens name the server's sessions."""
        self._read_until: ReadUntil = {}
        self._actions: set[str] = set()
        """The actions and models of the drawings and tasks that were read."""
        self._figures_of = ""
        """The account whose figures follow."""
        self._figures: dict[int, Dashboard] = {}
        """The figures of the page Overview for each range of days."""
        self._figures_asked_at: dict[int, datetime] = {}
        self._figures_failed: dict[int, GatekeyError] = {}
        """The reason why figures could not be read again, for as long as they are not asked for again."""
        self._readings: set[asyncio.Task[Dashboard]] = set()
        """Readings of figures that nobody may wait for any more."""
        self._hours: dict[datetime, tuple[ModelHour, ...]] = {}
        """The statistics of times that are over, by the beginning of each window."""
        self._new_files = new_files(options)
        self.files = LocalFiles(self._new_files, None)

    @property
    def _client(self) -> RemoteClient:
        """The client. Raises `SessionEnded` before the data is open."""
        if self._connected is None:
            raise SessionEnded
        return self._connected

    @property
    def _known(self) -> ServerFacts:
        """The facts of the server. Raises `SessionEnded` before it was asked."""
        if self._facts is None:
            raise SessionEnded
        return self._facts

    async def _account(self) -> OwnAccount:
        """The account as it is now. Raises the session errors."""
        self._check_open()
        return await self._client.account()

    def _check_open(self) -> None:
        """Raise `SessionEnded` without a session, and `SessionLocked` while it is locked."""
        if self._facts is None or not self._client.is_signed_in:
            raise SessionEnded
        if self._is_locked:
            raise SessionLocked

    def _now(self) -> datetime:
        return datetime.now(UTC) if self._clock is None else self._clock.now()

    def _told(self, wait: Wait) -> None:
        if self._tell is not None:
            self._tell(f"{wait.reason} The next try is in {max(1, round(wait.seconds))} s.")
