"""The binding of an identity whose provider sends the browser on to another page: its address is pasted here."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.page_in_browser import PageInBrowser
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.qr_code import QrCode
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from tui.account import BrowserLogin


class BindInBrowser(PageInBrowser):
    """Result: True if the identity was bound."""

    HELP_TEXT: ClassVar[str] = (
        "Open the address in any browser and sign in at the provider there. The browser is sent on to a page of the "
        "server at the end. That page may fail: copy its whole address from the address bar, with code and state in "
        "it, and paste it here. The console also looks every few seconds whether the identity is bound already."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#address"
    LOOK_EVERY_S: ClassVar[float] = 10.0

    def __init__(self, login: BrowserLogin) -> None:
        super().__init__(login.url)
        self._login = login

    def compose(self) -> ComposeResult:
        name = sanitize(self._login.provider.name, 40)
        with Dialog(f"Bind your identity at {name}", classes="-full"), Horizontal(classes="beside"):
            yield QrCode(id="qr")
            with Vertical():
                yield Static("1. Open this address in a browser, and sign in there:", classes="muted", markup=False)
                yield Static(sanitize(self._login.url, 2000), id="url", markup=False, classes="strong")
                yield Static(
                    "2. Paste the whole address at which the browser ends:", classes="muted spaced", markup=False
                )
                yield Field("Address", TextInput(id="address", max_length=4096))
                yield Notice()
                with Actions():
                    yield ActionButton("Cancel", id="cancel", shortcut="esc")
                    yield ActionButton("Copy address", id="copy", shortcut="^y")
                    yield ActionButton("Bind", id="bind", shortcut="enter", variant="primary")

    async def is_done(self) -> bool:
        slug = self._login.provider.slug
        bindings = (await self.account.bindings()).bindings
        return any(one.provider.slug == slug and one.binding_id is not None for one in bindings)

    @on(Input.Submitted)
    @on(Button.Pressed, "#bind")
    def bind_pressed(self) -> None:
        if self.query_one("#address", Input).value.strip():
            self.submit(self._bind)
        elif not self.busy:
            show_errors(self, {"address": "Paste the address at which the browser has ended."})

    async def _bind(self) -> None:
        landed_at = self.query_one("#address", Input)
        self.say("Binding…", "muted")
        done = await self.run_with_reauth(lambda: self.account.bind_by_address(self._login, landed_at.value))
        if done is not None:
            self.workers.cancel_group(self, "wait")
            self.dismiss(True)
