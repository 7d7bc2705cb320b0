"""The prompt for the password itself, for a change that depends on its length."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from screens.prompt import Prompt
from store.text import sanitize
from tui.widgets.field import Field
from tui.widgets.secret_input import SecretInput


class AskPassword(Prompt):
    """Result: the password, or None."""

    HELP_TEXT: ClassVar[str] = (
        "The administrator asks for a longer password where it is the only factor. Only a hash of yours is stored, "
        "which does not tell how long it is, so it is asked for here. A wrong one counts like a failed sign-in."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#password"
    IF_EMPTY = "Enter the password you use now."

    def __init__(self, reason: str) -> None:
        super().__init__("Enter your password")
        self._reason = reason

    def fields(self) -> ComposeResult:
        yield Static(sanitize(self._reason), markup=False, classes="dialog-body")
        yield Field("Password", SecretInput(id="password"), help="The password you sign in with.")

    def take(self) -> str:
        return self.query_one("#password", SecretInput).take()
