"""Signing in at a provider from a terminal: its address, a short code, a QR code, and waiting (RFC 8628)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from store.errors import GatekeyError
from store.text import sanitize
from tui.account import FoundIdentity
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.qr_code import QrCode, fits

if TYPE_CHECKING:
    from tui.account import DeviceLogin

_TEXT_COLUMNS: Final = 34


class ProviderLogin(AccountModal[FoundIdentity | None]):
    """Result: who the provider says it is, or None if it was given up. Nothing is bound yet."""

    HELP_TEXT: ClassVar[str] = (
        "Open the address in any browser, on this machine or another, and enter the code. The console "
        "asks the provider for news until the code expires. Nothing is bound before you have seen whose "
        "identity it is."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#cancel"

    def __init__(self, login: DeviceLogin) -> None:
        super().__init__()
        self._login = login
        self._is_waiting = True

    def compose(self) -> ComposeResult:
        login = self._login
        with Dialog(f"Sign in at {login.provider.name}", classes="-full"), Horizontal(classes="beside"):
            yield QrCode(id="qr")
            with Vertical():
                yield Static("Open this address on any device:", classes="muted")
                yield Static(sanitize(login.verification_uri, 200), id="url", markup=False, classes="strong")
                yield Static("and enter this code:", classes="muted spaced")
                yield Static(sanitize(login.user_code, 40), id="short-code", markup=False, classes="strong")
                yield Static("", id="left", markup=False, classes="spaced")
                yield Notice()
                with Actions():
                    yield ActionButton("Cancel", id="cancel", shortcut="esc")

    def on_mount(self) -> None:
        uri = self._login.complete_uri or self._login.verification_uri
        room = Size(min(self.app.size.width, 80) - 4 - _TEXT_COLUMNS, self.app.size.height - 2)
        if fits(uri, room):
            self.query_one(QrCode).draw(uri)
        self._count_down()
        self.set_interval(1, self._count_down)
        self.wait_for_provider()

    @work(exclusive=True, group="wait")
    async def wait_for_provider(self) -> None:
        try:
            identity = await self.account.wait_for_identity(self._login, on_poll=self._told)
        except GatekeyError as error:
            # The code is no longer good: nobody is invited to scan it.
            self._is_waiting = False
            self.query(QrCode).set(display=False)
            for left in self.query("#left").results(Static):
                left.update("")
            self.say(f"{error.title}. {error}")
        else:
            self.dismiss(identity)

    def _told(self, is_reachable: bool) -> None:
        name = self._login.provider.name
        self.say("" if is_reachable else f"{name} does not answer at the moment. Still trying.", "warning")

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.workers.cancel_node(self)
        self.dismiss(None)

    def _count_down(self) -> None:
        if not self._is_waiting:
            return
        seconds = max(0, int((self._login.expires_at - self.account.now()).total_seconds()))
        for left in self.query("#left").results(Static):  # none any more while the dialog goes
            left.update(f"Waiting: {seconds // 60}:{seconds % 60:02d} left")
