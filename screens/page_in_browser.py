"""The base of a dialog with the address of a page that a person opens in a browser, as text and as QR code."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.widgets import Button

from screens.account_modal import AccountModal
from store.errors import FreshProofRequired, GatekeyError, SessionEnded, SessionLocked
from tui.clipboard import copy
from tui.glyphs import has_box_characters
from tui.widgets.qr_code import QrCode, fits

_TEXT_COLUMNS: Final = 40


class PageInBrowser(AccountModal[bool]):
    """Subclasses compose a `QrCode` and a button `#copy`. Result: True once the person is done on that page."""

    LOOK_EVERY_S: ClassVar[float]
    """Seconds between two questions whether the person is done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "copy_address", "Copy address", id="in-browser.copy", tooltip="Copy what to open"),
    ]

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def on_mount(self) -> None:
        room = Size(self.app.size.width - 6 - _TEXT_COLUMNS, self.app.size.height - 2)
        if has_box_characters(self.app) and fits(self._url, room):
            self.query_one(QrCode).draw(self._url)
        self.watch_page()

    async def is_done(self) -> bool:
        """Ask the account whether the person is done on the page. Raises the session errors."""
        raise NotImplementedError

    @work(exclusive=True, group="wait")
    async def watch_page(self) -> None:
        """Close by itself once the person is done, in whatever way."""
        while True:
            await asyncio.sleep(self.LOOK_EVERY_S)
            # What is being sent may be the end of it.
            found = None if self.busy else await self.run_with_reauth(self._look)
            if found is not None and found.value:
                self.dismiss(True)
                return

    async def _look(self) -> bool:
        try:
            return await self.is_done()
        except (FreshProofRequired, SessionEnded, SessionLocked):
            raise
        except GatekeyError as error:
            self.say(f"{error.title}. {error} The console asks again.", "warning")
            return False

    @on(Button.Pressed, "#copy")
    @work(exclusive=True, group="copy")
    async def action_copy_address(self) -> None:
        copied = await copy(self.app, self._url)
        self.say(f"{copied.sentence}.", "good")
