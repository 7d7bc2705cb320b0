"""Dialogs for a secret that is shown once: the System Access Token and API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from screens.limited_text import reworded
from screens.save_file import FILES_ARE_OFF, save_file, saved_sentence, write_text
from tui.clipboard import copy
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.secret_view import SecretView

if TYPE_CHECKING:
    from store.values.access_token import NewAccessToken
    from store.values.api_keys import NewApiKey

_HASHED: Final = "Only its hash is kept, so it cannot be shown again"


class ShownOnce(AccountModal[None]):
    """A secret that is shown once. Closing asks unless it was copied, saved or revealed."""

    AUTO_FOCUS: ClassVar[str | None] = "SecretView"
    TITLE_TEXT: ClassVar[str] = ""
    EXPLANATION: ClassVar[str] = ""
    FILE_NAME: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "flip", "Reveal or hide", id="secret.flip", show=False, tooltip="Show the secret, or hide it"),
        Binding("c", "copy", "Copy", id="secret.copy", tooltip="Send it to the clipboard"),
        Binding("w", "save", "Save as file", id="secret.save", tooltip="Write it to a file only you can read"),
    ]

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret
        self._was_taken = False

    def compose(self) -> ComposeResult:
        with Dialog(self.TITLE_TEXT):
            yield Static(self.EXPLANATION, classes="dialog-body")
            yield SecretView(self._secret, classes="spaced")
            if not self.account.files.are_allowed:
                yield Static(FILES_ARE_OFF, classes="muted files-off")
            yield Notice()
            with Actions():
                yield ActionButton("Reveal", id="reveal", shortcut="space")
                yield ActionButton("Copy", id="copy", shortcut="c")
                if self.account.files.are_allowed:
                    yield ActionButton("Save as file", id="save", shortcut="w")
                yield ActionButton("Close", id="close", shortcut="esc", variant="primary")

    def on_unmount(self) -> None:
        self._secret = ""

    @on(SecretView.Revealed)
    def revealed(self) -> None:
        self._was_taken = True

    @on(Button.Pressed, "#reveal")
    def action_flip(self) -> None:
        self.query_one(SecretView).action_flip()

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        self.copy_secret()

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        self.save_secret()

    @on(Button.Pressed, "#close")
    def action_cancel(self) -> None:
        self.close()

    @work(exclusive=True)
    async def copy_secret(self) -> None:
        copied = await copy(self.app, self._secret)
        self._was_taken = True
        otherwise = "save it as a file" if self.account.files.are_allowed else "reveal it and write it down"
        self.say(f"{copied.sentence}. If it did not arrive, {otherwise}.", "good")

    @work(exclusive=True)
    async def save_secret(self) -> None:
        path = await save_file(self, "Save as file", self.FILE_NAME, write_text(self.account, self._secret + "\n"))
        if path is not None:
            self._was_taken = True
            self.say(saved_sentence(self.account, path), "good")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "save" and not self.account.files.are_allowed:
            return False
        return super().check_action(action, parameters)

    @property
    def unsaved(self) -> bool:
        """True if the secret would be lost with this dialog."""
        return not self._was_taken

    async def confirm_leave(self) -> bool:
        """Ask if the secret would be lost; returns whether the dialog may close. Call it in a worker."""
        question = Confirm(
            "Close without keeping it?", "It is never shown again.", "Close", cancel="Stay", dangerous=True
        )
        return not self.unsaved or await self.app.push_screen_wait(question)

    @work(exclusive=True)
    async def close(self) -> None:
        if await self.confirm_leave():
            self.dismiss(None)


class AccessToken(ShownOnce):
    """The System Access Token."""

    HELP_TEXT: ClassVar[str] = (
        "The token is a bearer token: whoever has it can use the API of your account. "
        f"{_HASHED}. If it was compromised, generate another: this one stops "
        "working at that moment."
    )
    TITLE_TEXT = "System Access Token"
    EXPLANATION = (
        "This is your new token. It is shown once: keep it somewhere safe now. It grants access to the API of your "
        "account; never put it into client-side code or a public repository. A previous token no longer works."
    )
    FILE_NAME = "gatekey-access-token.txt"

    @property
    def purpose(self) -> str:
        readable = self.account.capabilities.keeps_secrets_readable
        return reworded(self.HELP_TEXT, (readable, _HASHED, f"{readable} It is not shown again"))

    def __init__(self, made: NewAccessToken) -> None:
        super().__init__(made.token)


class ApiKey(ShownOnce):
    """A new API key."""

    HELP_TEXT: ClassVar[str] = (
        f"Clients of the gateway send this key as their bearer token. {_HASHED}; a lost key is revoked and replaced."
    )
    TITLE_TEXT = "API key"
    EXPLANATION = "This is your new API key. It is shown once: keep it somewhere safe now."
    FILE_NAME = "gatekey-api-key.txt"

    @property
    def purpose(self) -> str:
        readable = self.account.capabilities.keeps_secrets_readable
        return reworded(self.HELP_TEXT, (readable, _HASHED, f"{readable} It is not shown again"))

    def __init__(self, made: NewApiKey) -> None:
        super().__init__(made.key)
