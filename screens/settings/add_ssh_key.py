"""Adding an SSH key."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from store.values.ssh_keys import SshKeyInfo
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.text_input import TextInput


class AddSshKey(AccountModal[SshKeyInfo]):
    """Result: the added key, or None."""

    HELP_TEXT: ClassVar[str] = (
        "Paste the public key of the machine that you sign in from: the one line of its file "
        "~/.ssh/id_ed25519.pub. If there is none, make a pair there with ssh-keygen -t ed25519. The private half, "
        "without .pub, stays on that machine. Accepted are Ed25519, ECDSA, RSA from 3072 bits, and security keys."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#ssh-key"

    def __init__(self, *, reads_files: bool) -> None:
        """`reads_files` is True if the path of a file may be entered as well."""
        super().__init__()
        self._reads_files = reads_files

    def compose(self) -> ComposeResult:
        or_path = " Or enter the path of that file." if self._reads_files else ""
        with Dialog("Add an SSH key"):
            yield Static(
                f"Paste the line of a file such as ~/.ssh/id_ed25519.pub, never the private key.{or_path}",
                classes="dialog-body muted",
            )
            yield Field("Public key", TextInput(id="ssh-key", placeholder="ssh-ed25519 AAAA… alice@laptop"))
            yield Field("Name", TextInput(id="ssh-key-name", max_length=64, placeholder="the comment of the key"))
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Add", id="add", shortcut="enter", variant="primary")

    @on(Input.Submitted)
    @on(Button.Pressed, "#add")
    def add_pressed(self) -> None:
        if not self.query_one("#ssh-key", Input).value.strip():
            show_errors(self, {"ssh-key": "Paste the public key here."})
        else:
            self.submit(self._add)

    async def _add(self) -> None:
        text, name = (self.query_one(f"#{field}", Input).value for field in ("ssh-key", "ssh-key-name"))
        done = await self.run_with_reauth(lambda: self.account.add_ssh_key(text, name))
        if done is not None:
            self.dismiss(done.value)
