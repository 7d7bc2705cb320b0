"""Opening the data behind a screen that a person can type into meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from screens.submit import SubmitOnce
from store.errors import GatekeyError
from tui.version import VERSION
from tui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from textual.worker import Worker


class OpensData(SubmitOnce):
    """Mix into a screen with a `Dialog`, before it. Opens the data after the first picture of the screen."""

    _opening: Worker[None] | None = None

    def on_mount(self) -> None:
        self.call_after_refresh(self._open_at_first)

    async def opened(self, *, is_first_run: bool) -> None:
        """The data is open. Raises the data errors."""
        raise NotImplementedError

    async def is_open(self) -> bool:
        """Wait until the data is open; returns whether it is. After a failure it is opened once more."""
        if self._opening is None or (self._opening.is_finished and not self.account.is_open):
            self._start_opening()
        if self._opening is not None:
            await self._opening.wait()
        return self.account.is_open

    def _open_at_first(self) -> None:
        # Somebody who was fast has asked for it already.
        if self._opening is None:
            self._start_opening()

    def _start_opening(self) -> None:
        self._opening = self.open_data()

    @work(exclusive=True, group="open")
    async def open_data(self) -> None:
        self.query_one(Dialog).subtitle = f"{await self.account.place()} · {VERSION}"
        try:
            await self.opened(is_first_run=await self.account.open())
        except GatekeyError as error:
            self.show_failure(error)
