"""A key that shows the passwords of a screen while they are typed."""

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Button, Input

from tui.widgets.auto_hide import AutoHide

SHOW_KEY = "^v"
"""The key as the button shows it."""


class ShowSecrets(AutoHide, Widget):
    """Mix into a screen with password fields, as its last base. A button `#show` on it does the same as the key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+v",
            "show_secrets",
            "Show",
            id="secret.show",
            tooltip="Show the passwords that you type for a minute, or hide them",
        ),
    ]

    secrets_shown: reactive[bool] = reactive(False, init=False)
    """True while the passwords of this screen can be read."""

    def action_show_secrets(self) -> None:
        self.secrets_shown = not self.secrets_shown

    @on(Button.Pressed, "#show")
    def show_pressed(self) -> None:
        self.action_show_secrets()

    def hide(self) -> None:
        self.secrets_shown = False

    def watch_secrets_shown(self, shown: bool) -> None:
        # By the name of its type: the inputs import this module.
        for secret in self.query("SecretInput").results(Input):
            secret.password = not shown
        for button in self.query("#show").results(Button):
            button.label = "Hide" if shown else "Show"
        if shown:
            self.hide_later()
        else:
            self.stop_hide_timer()
