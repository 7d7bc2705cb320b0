"""The base of a dialog with the address of a page that a person opens in a browser, as text and as QR code."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.widgets import Button

from screens.account_modal import AccountModal
from tui.clipboard import copy
from tui.glyphs import has_box_characters
from tui.widgets.qr_code import QrCode, fits

_TEXT_COLUMNS: Final = 40


class PageInBrowser(AccountModal[bool]):
    """Subclasses compose a `QrCode` and a button `#copy`, and close the dialog once the person is done there."""

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

    @on(Button.Pressed, "#copy")
    @work(exclusive=True, group="copy")
    async def action_copy_address(self) -> None:
        copied = await copy(self.app, self._url)
        self.say(f"{copied.sentence}.", "good")
