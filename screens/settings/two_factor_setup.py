"""The setup of two-factor authentication in three steps: scan, save, verify."""

from __future__ import annotations

import os
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
from screens.settings.backup_codes import CODE_KEYS, BackupCodeList
from screens.settings.security_limits import count_word
from tui.clipboard import copy
from tui.glyphs import has_box_characters
from tui.terminal import has_circled_digits
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.code_cells import CodeCells, CodeTimeLeft
from tui.widgets.confirm import Confirm
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.qr_code import QrCode, capacity, size_for
from tui.widgets.secret_input import CodeInput
from tui.widgets.step_rail import Step, StepRail

if TYPE_CHECKING:
    from store.values.two_factor import Enrolment

_STEP_IDS: Final = ("scan", "save", "verify")
_STEPS: Final = (
    Step("Scan QR Code", "Scan"),
    Step("Save Backup Recovery Codes", "Save codes"),
    Step("Verify Setup", "Verify"),
)
_TITLE: Final = "Two-Factor Authentication"
_TEXT_COLUMNS: Final = 32
_FRAME: Final = Size(4, 2)
"""Columns and rows of the frame of the dialog."""
_WIDEST: Final = 102
"""Columns of the dialog, with the code and the words beside it."""


class TwoFactorSetup(AccountModal[bool]):
    """Result: True if it was enabled. Nothing is enabled before the last step."""

    HELP_TEXT: ClassVar[str] = (
        "Three steps. 1: scan the QR code with an authenticator app, or type the key into it. 2: store "
        "the ten backup codes offline and type one back, which does not use it up. 3: enter the six "
        "digits the app shows. Nothing is on before the third step."
    )

    @property
    def purpose(self) -> str:
        return self.HELP_TEXT.replace("the ten backup", f"the {self._count} backup")

    @property
    def _count(self) -> str:
        return count_word(self.account.capabilities)

    AUTO_FOCUS: ClassVar[str | None] = "#next"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="wizard.cancel", tooltip="Leave; two-factor stays off"),
        Binding("ctrl+o", "back", "Back", id="wizard.back", tooltip="Go back to the step before"),
        *CODE_KEYS,
    ]

    unsaved: ClassVar[bool] = True
    """Leaving the setup discards its key and codes."""

    step: reactive[int] = reactive(0, init=False, bindings=True)

    def __init__(self, enrolment: Enrolment) -> None:
        super().__init__()
        self._enrolment: Enrolment | None = enrolment
        self._codes_confirmed = False

    def compose(self) -> ComposeResult:
        enrolment = self._open_enrolment
        with Dialog(_TITLE, classes="-full", id="wizard"):
            yield StepRail(_STEPS, circled=has_circled_digits(os.environ))
            with ContentSwitcher(initial="scan"):
                with Horizontal(id="scan"):
                    yield QrCode(id="qr")
                    with Vertical(id="scan-text"):
                        yield Static("", id="scan-words", markup=False)
                        yield Static(_four_a_line(enrolment.secret_groups), id="secret-key", markup=False)
                        with Actions(classes="-together"):
                            yield ActionButton("Copy key", id="copy-key", shortcut="^y")
                            if self.account.files.are_allowed:
                                yield ActionButton("Save as file", id="save-key", shortcut="^s")
                        if not self.account.files.are_allowed:
                            yield Static(FILES_ARE_OFF, classes="muted files-off")
                        yield Notice("scan-notice")
                        with Actions():
                            yield ActionButton("Cancel", id="cancel", shortcut="esc")
                            yield ActionButton("Next", id="next", shortcut="enter", variant="primary")
                with Vertical(id="save"):
                    yield Static(
                        "Each code lets you in once if you lose your authenticator device. Store them securely, "
                        "offline. Failure to store them may result in permanent loss of access.",
                        classes="dialog-body",
                    )
                    yield BackupCodeList(enrolment.codes)
                    yield Field(
                        "Type one of the codes above",
                        CodeInput(id="saved-code"),
                        help=f"Any of the {self._count}: it is not used up. Capitals do not matter.",
                    )
                    yield Notice("save-notice")
                    with Actions():
                        yield ActionButton("Cancel", id="cancel-save", classes="cancel", shortcut="esc")
                        yield ActionButton("Back", id="back-to-scan", classes="back", shortcut="^o")
                        yield ActionButton("Next", id="confirm-saved", shortcut="enter", variant="primary")
                with Vertical(id="verify"):
                    yield Static(
                        "Enter the current 6-digit verification code displayed in your authenticator app.",
                        classes="dialog-body",
                    )
                    yield Field(
                        "Verification code", CodeCells(id="code"), CodeTimeLeft(self.account.now), classes="spaced"
                    )
                    yield Static(
                        "If it is valid, 2FA becomes active immediately. From then on, signing in needs your password "
                        "and such a code.",
                        classes="dialog-body muted spaced",
                    )
                    yield Notice("verify-notice")
                    with Actions():
                        yield ActionButton("Cancel", id="cancel-verify", classes="cancel", shortcut="esc")
                        yield ActionButton("Back", id="back-to-save", classes="back", shortcut="^o")
                        yield ActionButton(
                            "Complete setup and enable two-factor authentication",
                            id="complete",
                            shortcut="enter",
                            variant="primary",
                        )

    def on_mount(self) -> None:
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
        self.query_one(StepRail).step = step
        self._draw_code(self.size)
        self.say("")
        targets = ("#next", "#saved-code" if not self._codes_confirmed else "#confirm-saved", "#code")
        self.query_one(targets[step]).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "back":
            return self.step > 0
        if action == "reveal_codes":
            return self.step == 1
        if action in ("copy_codes", "save_codes"):
            return self.step < 2 and (action == "copy_codes" or self.account.files.are_allowed)
        return super().check_action(action, parameters)

    @on(Button.Pressed, "#next")
    def next_pressed(self) -> None:
        self.step = 1
        self.query_one(BackupCodeList).reveal()

    @on(Button.Pressed, ".back")
    def action_back(self) -> None:
        self.step = max(0, self.step - 1)

    @on(Input.Submitted, "#saved-code")
    @on(Button.Pressed, "#confirm-saved")
    def saved_pressed(self) -> None:
        if self._codes_confirmed:
            self.step = 2
        elif self.query_one("#saved-code", CodeInput).code:
            self.submit(self._confirm_saved)
        elif not self.busy:
            # The store would count it as a wrong code.
            show_errors(self, {"saved-code": "Type one of the codes above."})

    @on(Input.Submitted, "#code")
    @on(Button.Pressed, "#complete")
    def complete_pressed(self) -> None:
        if self.query_one("#code", CodeCells).is_complete:
            self.submit(self._complete)
        elif not self.busy:
            show_errors(self, {"code": "Enter all six digits."})

    @on(Button.Pressed, ".cancel")
    def action_cancel(self) -> None:
        self.leave()

    @on(BackupCodeList.Said)
    def said(self, event: BackupCodeList.Said) -> None:
        self.say(event.sentence, "good")

    @on(Button.Pressed, "#copy-key")
    def action_copy_codes(self) -> None:
        """Copy the secret that the step shows."""
        if self.step:
            self.query_one(BackupCodeList).copy_codes()
        else:
            self.copy_key()

    @on(Button.Pressed, "#save-key")
    def action_save_codes(self) -> None:
        """Save the secret that the step shows."""
        if self.step:
            self.query_one(BackupCodeList).save_codes()
        else:
            self.save_key()

    def action_reveal_codes(self) -> None:
        self.query_one(BackupCodeList).flip()

    async def _confirm_saved(self) -> None:
        code = self.query_one("#saved-code", CodeInput).code
        done = await self.run_with_reauth(lambda: self.account.confirm_codes_saved(code))
        if done is not None:
            self._codes_confirmed = True
            self.step = 2

    async def _complete(self) -> None:
        code = self.query_one("#code", CodeCells).take()
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
            self.say(saved_sentence(self.account, path), "good")

    # -- drawing ---------------------------------------------------------------------------------------------

    @property
    def _open_enrolment(self) -> Enrolment:
        if self._enrolment is None:
            raise RuntimeError("the setup was left")
        return self._enrolment

    def _draw_code(self, size: Size) -> None:
        """Draw the largest code that fits, and the words beside it. The steps give way to it in the last row."""
        if self._enrolment is None:
            return
        dialog, rail, code = self.query_one("#wizard", Dialog), self.query_one(StepRail), self.query_one(QrCode)
        room = Size(min(size.width, _WIDEST) - _FRAME.width - _TEXT_COLUMNS, size.height - _FRAME.height)
        if not has_box_characters(self.app):
            room = Size(0, 0)
        beside_steps = self._enrolment.uri_within(capacity(room - (0, 1)))
        uri = beside_steps or self._enrolment.uri_within(capacity(room))
        is_scanning = self.step == 0
        dialog.set_class(is_scanning and uri is not None, "-full")
        rail.display = not is_scanning or beside_steps is not None or uri is None
        dialog.title = _TITLE if rail.display else f"{_TITLE} ── Step 1 of {len(_STEPS)}: {_STEPS[0].title}"
        code.draw(uri or "")
        dialog.styles.width = code.size_of_code.width + _TEXT_COLUMNS + _FRAME.width if is_scanning and uri else None
        self.query_one("#scan-words", Static).update(_TO_SCAN if uri else self._too_small())

    def _too_small(self) -> str:
        if not has_box_characters(self.app):
            return "This terminal cannot draw a QR code. Enter this key into your authenticator app:"
        columns, rows = size_for(self._open_enrolment.shortest_uri)
        return (
            f"The QR code needs {columns + _TEXT_COLUMNS + _FRAME.width} columns and {rows + _FRAME.height} rows. "
            "Enlarge the terminal, or enter this key into your authenticator app:"
        )


_TO_SCAN: Final = (
    "Scan with an authenticator app such as Google Authenticator or Microsoft Authenticator.\n\n"
    "Cannot scan? Enter this key:"
)


def _four_a_line(groups: tuple[str, ...]) -> str:
    return "\n".join(" ".join(groups[i : i + 4]) for i in range(0, len(groups), 4))
