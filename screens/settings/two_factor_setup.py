"""The setup of two-factor authentication in three steps: scan, save, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import Button, ContentSwitcher, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.save_file import FILES_ARE_OFF, save_file, saved_sentence, write_text
from screens.settings.backup_codes import BackupCodeList
from tui.clipboard import copy
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.qr_code import QrCode, fits, size_for
from tui.widgets.secret_input import CodeInput

if TYPE_CHECKING:
    from store.values.two_factor import Enrolment

_STEP_IDS: Final = ("scan", "save", "verify")
_TITLES: Final = ("Scan QR Code", "Save Backup Recovery Codes", "Verify Setup")
_TEXT_COLUMNS: Final = 32
_FRAME_CELLS: Final = Size(4, 3)
"""Columns and rows of the frame and the notice."""


class TwoFactorSetup(AccountModal[bool]):
    """Result: True if it was enabled. Nothing is enabled before the last step."""

    HELP_TEXT: ClassVar[str] = (
        "Three steps. 1: scan the QR code with an authenticator app, or type the key into it. 2: store "
        "the ten backup codes offline and type one back, which does not use it up. 3: enter the six "
        "digits the app shows. Nothing is on before the third step."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#next"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="wizard.cancel", tooltip="Leave; two-factor stays off"),
    ]

    unsaved: ClassVar[bool] = True
    """Leaving the setup discards its key and codes."""

    step: reactive[int] = reactive(0, init=False)

    def __init__(self, enrolment: Enrolment) -> None:
        super().__init__()
        self._enrolment: Enrolment | None = enrolment
        self._codes_confirmed = False

    def compose(self) -> ComposeResult:
        enrolment = self._open_enrolment
        with Dialog("", classes="-full", id="wizard"), ContentSwitcher(initial="scan"):
            with Horizontal(id="scan"):
                yield QrCode(id="qr")
                with Vertical(id="scan-text"):
                    yield Static("", id="scan-words", markup=False)
                    yield Static(_grouped(enrolment.secret), id="secret-key", markup=False)
                    yield ActionButton("Copy key", id="copy-key")
                    if self.account.files.are_allowed:
                        yield ActionButton("Save as file", id="save-key")
                    else:
                        yield Static(FILES_ARE_OFF, classes="muted files-off")
                    yield Notice("scan-notice")
                    with Actions():
                        yield ActionButton("Cancel", id="cancel", shortcut="esc")
                        yield ActionButton("Next", id="next", variant="primary")
            with Vertical(id="save"):
                yield Static(
                    "Each code lets you in once if you lose your authenticator device. Store them securely, offline. "
                    "Failure to store them may result in permanent loss of access.",
                    classes="dialog-body",
                )
                yield BackupCodeList(enrolment.codes)
                yield Field(
                    "Type one of them back", CodeInput(id="saved-code"), help="Any of the ten: it is not used up."
                )
                yield Notice("save-notice")
                with Actions():
                    yield ActionButton("Back", id="back-to-scan")
                    yield ActionButton("Next", id="confirm-saved", shortcut="enter", variant="primary")
            with Vertical(id="verify"):
                yield Static(
                    "Enter the 6-digit code your authenticator app shows now. From then on, signing in needs "
                    "your password and such a code.",
                    classes="dialog-body",
                )
                yield Field("Verification code", CodeInput(id="code"))
                yield Notice("verify-notice")
                with Actions():
                    yield ActionButton("Back", id="back-to-save")
                    yield ActionButton(
                        "Complete setup and enable two-factor authentication",
                        id="complete",
                        shortcut="enter",
                        variant="primary",
                    )

    def on_mount(self) -> None:
        self._retitle()
        self._draw_code(self.app.size)

    def on_resize(self, event: Resize) -> None:
        self._draw_code(event.size)

    def on_unmount(self) -> None:
        self._enrolment = None

    async def confirm_leave(self) -> bool:
        """Ask whether to discard the setup; returns the answer. Call it in a worker."""
        question = Confirm(
            "Leave the setup?",
            "Two-factor authentication stays off, and this key and these codes are forgotten.",
            "Leave",
            cancel="Stay",
        )
        return await self.app.push_screen_wait(question)

    # -- steps -----------------------------------------------------------------------------------------------

    def watch_step(self, step: int) -> None:
        for codes in self.query(BackupCodeList):
            codes.hide()
        self.query_one(ContentSwitcher).current = _STEP_IDS[step]
        self._retitle()
        self.say("")
        targets = ("#next", "#saved-code" if not self._codes_confirmed else "#confirm-saved", "#code")
        self.query_one(targets[step]).focus()

    @on(Button.Pressed, "#next")
    def next_pressed(self) -> None:
        self.step = 1
        self.query_one(BackupCodeList).reveal()

    @on(Button.Pressed, "#back-to-scan")
    def back_to_scan(self) -> None:
        self.step = 0

    @on(Button.Pressed, "#back-to-save")
    def back_to_save(self) -> None:
        self.step = 1

    @on(Input.Submitted, "#saved-code")
    @on(Button.Pressed, "#confirm-saved")
    def saved_pressed(self) -> None:
        if self._codes_confirmed:
            self.step = 2
        else:
            self.submit(self._confirm_saved)

    @on(Input.Submitted, "#code")
    @on(Button.Pressed, "#complete")
    def complete_pressed(self) -> None:
        self.submit(self._complete)

    def action_cancel(self) -> None:
        self.leave()

    @on(BackupCodeList.Said)
    def said(self, event: BackupCodeList.Said) -> None:
        self.say(event.sentence, "good")

    @on(Button.Pressed, "#copy-key")
    def copy_key_pressed(self) -> None:
        self.copy_key()

    @on(Button.Pressed, "#save-key")
    def save_key_pressed(self) -> None:
        self.save_key()

    async def _confirm_saved(self) -> None:
        code = self.query_one("#saved-code", CodeInput).code
        done = await self.run_with_reauth(lambda: self.account.confirm_codes_saved(code))
        if done is not None:
            self._codes_confirmed = True
            self.step = 2

    async def _complete(self) -> None:
        code = self.query_one("#code", CodeInput).take()
        done = await self.run_with_reauth(lambda: self.account.complete_two_factor(code))
        if done is not None:
            self.dismiss(True)

    @work(exclusive=True, group="leave")
    async def leave(self) -> None:
        if await self.confirm_leave():
            await self.run_with_reauth(self.account.cancel_two_factor)
            self.dismiss(False)

    @work(exclusive=True, group="key")
    async def copy_key(self) -> None:
        copied = await copy(self.app, self._open_enrolment.secret)
        self.say(f"{copied.sentence}.", "good")

    @work(exclusive=True, group="key")
    async def save_key(self) -> None:
        text = f"{self._open_enrolment.secret}\n{self._open_enrolment.uri}\n"
        path = await save_file(self, "Save key", "gatekey-2fa-key.txt", write_text(self.account, text))
        if path is not None:
            self.say(saved_sentence(path), "good")

    # -- drawing ---------------------------------------------------------------------------------------------

    @property
    def _open_enrolment(self) -> Enrolment:
        if self._enrolment is None:
            raise RuntimeError("the setup was left")
        return self._enrolment

    def _retitle(self) -> None:
        self.query_one(
            "#wizard", Dialog
        ).title = f"Two-Factor Authentication ── Step {self.step + 1} of 3: {_TITLES[self.step]}"

    def _draw_code(self, size: Size) -> None:
        if self._enrolment is None:
            return
        uri = self._enrolment.uri
        columns, rows = size_for(uri)
        room = Size(min(size.width, 80) - _FRAME_CELLS.width - _TEXT_COLUMNS, size.height - 2)
        shown = fits(uri, room)
        self.query_one("#qr", QrCode).draw(uri if shown else "")
        words = (
            "Scan with an authenticator app such as Google Authenticator or Microsoft Authenticator.\n\n"
            "Cannot scan? Enter this key:"
            if shown
            else f"The QR code needs {columns + _FRAME_CELLS.width + _TEXT_COLUMNS} columns and {rows + 2} rows. "
            "Enlarge the terminal, or enter this key into your authenticator app:"
        )
        self.query_one("#scan-words", Static).update(words)


def _grouped(secret: str) -> str:
    groups = [secret[i : i + 4] for i in range(0, len(secret), 4)]
    return "\n".join(" ".join(groups[i : i + 4]) for i in range(0, len(groups), 4))
