"""The registration of a passkey at a server's own page, in a browser: the console watches until there is one."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from screens.account_modal import Notice
from screens.page_in_browser import PageInBrowser
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.qr_code import QrCode

_WAITING: Final = "Waiting for your browser. This closes by itself once the passkey is registered."


class RegisterOnPage(PageInBrowser):
    """Result: True once the account has a passkey."""

    HELP_TEXT: ClassVar[str] = (
        "Open the address in the browser of the device that will hold the passkey, or scan the code with a phone, and "
        "sign in there. The passkey is registered in your profile on that page. The console asks the server every few "
        "seconds whether there is one; closing this changes nothing."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#cancel"
    LOOK_EVERY_S: ClassVar[float] = 5.0

    def compose(self) -> ComposeResult:
        with Dialog("Register a passkey", classes="-full"), Horizontal(classes="beside"):
            yield QrCode(id="qr")
            with Vertical():
                yield Static("Open this address in your browser:", classes="muted", markup=False)
                yield Static(sanitize(self._url, 2000), id="url", markup=False, classes="strong")
                about = self.account.capabilities.no_passkey_ceremony
                yield Static(about, id="about", classes="muted spaced", markup=False)
                yield Static(_WAITING, id="waiting", classes="spaced", markup=False)
                yield Notice()
                with Actions():
                    yield ActionButton("Copy address", id="copy", shortcut="^y")
                    yield ActionButton("Close", id="cancel", shortcut="esc", variant="primary")

    async def is_done(self) -> bool:
        return await self.account.has_passkey()
