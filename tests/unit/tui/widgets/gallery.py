"""Every widget on one screen, to look at: `python -m tests.unit.tui.widgets.gallery [theme]`."""

import os
import sys
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from tests.unit.tui.widgets.bare_console import STYLES
from tui.style_sheets import WIDGET_STYLE_SHEETS
from tui.terminal import native_colours, starting_theme
from tui.themes import gatekey_themes
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Choice, Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.footer import KeyFooter
from tui.widgets.help_line import HelpLine
from tui.widgets.qr_code import QrCode
from tui.widgets.secret_input import CodeInput, SecretInput
from tui.widgets.secret_view import SecretView
from tui.widgets.small_screen import SmallScreenGuard
from tui.widgets.strength import strength_line
from tui.widgets.toggle import Toggle

URI = "otpauth://totp/Gatekey:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Gatekey"


class Scan(SmallScreenGuard, ModalScreen[None]):
    """A code beside its words, as the second-factor wizard shows it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close", id="scan.close", tooltip="Close")]

    def compose(self) -> ComposeResult:
        with Dialog("Two-Factor Authentication", classes="-full"), Horizontal(classes="row"):
            yield QrCode(URI)
            with VerticalScroll(can_focus=False):
                yield Static("Scan with an authenticator app.\n\nCannot scan? Type this key:", markup=False)
                yield Static("JBSW Y3DP EHPK 3PXP\nJBSW Y3DP EHPK 3PXP", markup=False)
                with Actions():
                    yield ActionButton("Cancel", id="cancel")
                    yield ActionButton("Next", id="next", variant="primary")


class Form(SmallScreenGuard, Screen[None]):
    """One of each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "wrong", "Save", id="gallery.save", tooltip="Show some errors"),
        Binding("ctrl+t", "scan", "Scan", id="gallery.scan", tooltip="Show the QR code"),
        Binding("f3", "confirm", "Delete", id="gallery.delete", tooltip="Ask before deleting"),
        Binding("f4", "choose", "Leave", id="gallery.leave", tooltip="Ask about unsaved edits"),
        Binding("ctrl+r", "reset", "Reset to Default", id="gallery.reset", tooltip="Not possible now"),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static("Notifications", classes="section-title")
            yield Field(
                "Quota warning threshold",
                Input("1.00", id="threshold", compact=True),
                Static("USD", classes="muted"),
                help="A notification is sent when the remaining quota falls below this value.",
            )
            yield Field("Email", Toggle(True, id="email"), help="To the address bound to your account.")
            yield Field("Webhook", Toggle(False, "POST to an address of yours", id="webhook"))
            yield Field("Webhook address", Input(placeholder="https://", id="url", compact=True))
            yield Field("Webhook secret", SecretInput(id="secret", value="correct horse"), help="Signs requests.")
            yield Field("Passkey", Toggle(False, "not enabled", id="passkey", disabled=True))
            yield Static("")
            yield Static("Security", classes="section-title")
            yield Field("System Access Token", SecretView("gk_b5G1yqW0m3kT8sVxZ2nC7pLr", id="token"))
            yield Field("New password", SecretInput(id="password"), id="new-password", reserve_error=True)
            yield Field("Code", CodeInput(id="code", placeholder="123 456"), help="From your authenticator app.")
            with Actions():
                yield ActionButton("Save", id="save", shortcut="^s", variant="primary")
                yield ActionButton("Reset to Default", id="reset", disabled=True)
                yield ActionButton("Delete account", id="delete", shortcut="x", variant="error")
        yield HelpLine()
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one("#new-password", Field).note = strength_line(2, "Add another word or two.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "reset" else True

    def action_wrong(self) -> None:
        show_errors(self, {"url": "Enter an address that starts with https://.", "code": "The code is wrong."})

    def action_scan(self) -> None:
        self.app.push_screen(Scan())

    def action_confirm(self) -> None:
        body = "This removes the account alice and everything in it.\nIt cannot be undone."
        self.app.push_screen(Confirm("Delete account", body, "Delete", dangerous=True))

    def action_choose(self) -> None:
        self.app.push_screen(Choice())


class Gallery(App[None]):
    """Shows `Form` in one theme."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", id="gallery.help", tooltip="Help"),
        Binding("ctrl+q", "quit", "Quit", id="gallery.quit", tooltip="Quit", priority=True),
    ]
    CSS_PATH = [STYLES / f"{name}.tcss" for name in WIDGET_STYLE_SHEETS]  # noqa: RUF012 - read once by Textual

    def __init__(self, theme: str | None = None) -> None:
        super().__init__(ansi_color=native_colours(os.environ))
        for own in gatekey_themes():
            self.register_theme(own)
        self.theme = starting_theme(os.environ, theme)

    def on_mount(self) -> None:
        self.push_screen(Form())


if __name__ == "__main__":
    Gallery(*sys.argv[1:2]).run()
