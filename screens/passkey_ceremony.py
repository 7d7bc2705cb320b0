"""Waiting for the browser: the address, the short code, a QR code, and how long there is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from store.errors import GatekeyError, StoreUnavailable
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.qr_code import QrCode, fits

if TYPE_CHECKING:
    from tui.account import PasskeyPage

POLL_EVERY: Final = 0.5
"""Seconds between two questions; the console notices within a second."""
_TEXT_COLUMNS: Final = 34


def _hint(url: str) -> str:
    """What somebody on another machine has to do before a page on this one's localhost opens there."""
    address = urlsplit(url)
    host = address.hostname or ""
    if host != "localhost" and not host.endswith(".localhost"):
        return ""
    port = address.port or 80
    return f"Over SSH, forward the port first: ssh -L {port}:localhost:{port}"


class PasskeyCeremony(AccountModal[bool]):
    """Result: True once the browser's answer was accepted."""

    HELP_TEXT: ClassVar[str] = (
        "Your browser does the rest: open the address there and enter the code, or scan the code with a "
        "phone. The console goes on by itself once the browser is done; after two minutes the code is no "
        "longer good."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#cancel"

    def __init__(self, title: str, page: PasskeyPage) -> None:
        super().__init__()
        self._title, self._page = title, page

    def compose(self) -> ComposeResult:
        with Dialog(self._title, classes="-full"), Horizontal(classes="beside"):
            yield QrCode(id="qr")
            with Vertical():
                yield Static("Open this address in your browser:", classes="muted")
                yield Static(sanitize(self._page.url, 200), id="url", markup=False, classes="strong")
                yield Static("and enter this code:", classes="muted spaced")
                yield Static(self._page.started.code, id="short-code", markup=False, classes="strong")
                yield Static(_hint(self._page.url), id="hint", markup=False, classes="muted spaced")
                yield Static("", id="left", markup=False, classes="spaced")
                yield Notice()
                with Actions():
                    yield ActionButton("Cancel", id="cancel", shortcut="esc")

    def on_mount(self) -> None:
        uri = self._page.complete_url
        room = Size(min(self.app.size.width, 80) - 4 - _TEXT_COLUMNS, self.app.size.height - 2)
        if fits(uri, room):
            self.query_one(QrCode).draw(uri)
        self.wait_for_browser()

    @work(exclusive=True, group="wait")
    async def wait_for_browser(self) -> None:
        from store.passkey_ceremonies import CeremonyState

        left = self.query_one("#left", Static)
        while True:
            seconds = int((self._page.started.expires_at - self.account.now()).total_seconds())
            left.update(f"Waiting for your browser: {max(0, seconds) // 60}:{max(0, seconds) % 60:02d} left")
            try:
                state = await self.account.passkey_outcome(self._page)
            except StoreUnavailable as error:
                # The browser may be at work all the same: ask again.
                self.say(f"{error.title}. {error}", "warning")
                await asyncio.sleep(POLL_EVERY)
                continue
            except GatekeyError as error:
                self._end(f"{error.title}. {error}")
                return
            self.say("")
            if state is CeremonyState.DONE:
                self.dismiss(True)
                return
            if state is CeremonyState.EXPIRED:
                self._end("The time is up. Close this and start again.", "warning")
                return
            await asyncio.sleep(POLL_EVERY)

    def _end(self, sentence: str, kind: str = "bad") -> None:
        """Say why the code is no longer good, and stop inviting anyone to scan it."""
        self.query(QrCode).set(display=False)
        for left in self.query("#left").results(Static):
            left.update("")
        self.say(sentence, kind)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.give_up()

    @work(exclusive=True)
    async def give_up(self) -> None:
        self.workers.cancel_group(self, "wait")
        await self.run_with_reauth(lambda: self.account.cancel_passkey(self._page))
        self.dismiss(False)
