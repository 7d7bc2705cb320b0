"""The dialog that writes a long list of the account into a file: a log, or the ledger."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from screens.account_modal import AccountModal, Notice
from screens.save_file import saved_sentence, show_in_drawer
from store.errors import InvalidInput
from store.text import pluralize
from store.values.row_export import Exported, ExportFormat, ExportProgress
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from screens.account_actions import AccountActions

    Export: TypeAlias = Callable[[Path, ExportFormat, Callable[[ExportProgress], None]], Awaitable[Exported]]
    """A call of the account that writes the file."""

_BAR_CELLS: Final = 24
_LEAST_SHARE: Final = 0.02
"""The part that has to be written before the rest of the time is estimated."""
_TO_DRAWER: Final = "Over SSH it goes to your drawer, from which you fetch it once."
_ENDINGS: Final = ", ".join(f".{form.value}" for form in ExportFormat)


class ExportRows(AccountModal[Exported | None]):
    """Result: the file that was written, or None. Esc ends an export that is under way, and then no file is left."""

    HELP_TEXT: ClassVar[str] = (
        "Writes the entries of this list, newest first, into a new file that only you can read. The end of "
        "the name is the format: .csv for spreadsheets, .json for one array, .jsonl for one object per line. The file "
        "is complete, or it is not there: if the export is ended, or the disk is full, nothing is left."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#path, #export"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "format", "Format", id="log-export.format", tooltip="Choose CSV, JSON or JSON Lines"),
    ]

    @property
    def purpose(self) -> str:
        return f"{self.HELP_TEXT} {_TO_DRAWER}" if self.account.files.go_to_drawer else self.HELP_TEXT

    def __init__(self, what: str, suggested: str, export: Export) -> None:
        """`what` says which entries; `suggested` is an unused name."""
        super().__init__()
        self._what, self._file_name, self._export_rows = what, suggested, export
        self._started = 0.0

    def compose(self) -> ComposeResult:
        with Dialog("Export"):
            yield Static(self._what, classes="dialog-body muted", markup=False)
            if self.account.files.go_to_drawer:
                yield Field("Into your drawer as", Static(self._file_name, id="drawer-name", markup=False))
            else:
                yield Field("File", TextInput(self._file_name, id="path"))
            yield Static("", id="progress", markup=False)
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Format", id="format", shortcut="^t")
                yield ActionButton("Export", id="export", shortcut="enter", variant="primary")

    @on(Button.Pressed, "#format")
    def action_format(self) -> None:
        """Give the name the end of the next format."""
        forms = list(ExportFormat)
        name = self._typed_name().rstrip()
        form = _format_of(name)
        following = forms[0] if form is None else forms[(forms.index(form) + 1) % len(forms)]
        self._file_name = f"{name[: -len(form.value) - 1] if form else name}.{following.value}"
        for field in self.query("#path").results(Input):
            field.value = self._file_name
        for shown in self.query("#drawer-name").results(Static):
            shown.update(self._file_name)

    def _typed_name(self) -> str:
        """The text of the field, or without a field the name for the drawer."""
        return next((field.value for field in self.query("#path").results(Input)), self._file_name)

    @on(Input.Submitted)
    @on(Button.Pressed, "#export")
    def export_asked(self) -> None:
        self.submit(self._export)

    async def _export(self) -> None:
        path = Path(self._typed_name().strip())
        form = _format_of(path.name)
        if form is None:
            self.show_failure(InvalidInput(f"The name ends in the format: {_ENDINGS}.", field="path"))
            return
        self.say("")
        self._started = time.monotonic()
        self._show(ExportProgress(0, 0.0))
        try:
            done = await self.run_with_reauth(
                lambda: self._export_rows(path, form, self._show),
            )
        finally:
            if self.is_attached:
                self.query_one("#progress", Static).update("")
        if done is not None:
            self.dismiss(done.value)

    def _show(self, progress: ExportProgress) -> None:
        if self.busy and self.is_attached:
            self.query_one("#progress", Static).update(progress_line(progress, time.monotonic() - self._started))

    def action_cancel(self) -> None:
        if self.busy:
            self.workers.cancel_group(self, "submit")
            self.say("The export was ended. No file was written.", "muted")
        else:
            super().action_cancel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 (as DOMNode has it)
        return None if action == "format" and self.busy else True


async def export_rows(page: AccountActions, what: str, name: str, export: Export) -> None:
    """Ask where to, export by default as `name`, and tell where it is. Call it in a worker."""
    suggested = await page.account.files.suggest(name)
    written = await page.app.push_screen_wait(ExportRows(what, suggested, export))
    if written is None:
        return
    if page.account.files.go_to_drawer:
        await show_in_drawer(page, written.path.name)
    page.app.notify(f"{pluralize(written.rows, 'row')}. {saved_sentence(page.account, written.path)}", markup=False)


def progress_line(progress: ExportProgress, elapsed: float) -> Content:
    """A bar, the entries written, and an estimate of the seconds that are left. `elapsed` is in seconds."""
    filled = int(progress.share * _BAR_CELLS)
    bar = Content.assemble(("█" * filled, "$text-accent"), ("░" * (_BAR_CELLS - filled), "$foreground-muted"))
    words = f"  {progress.share:4.0%}  {progress.rows:,} written"
    if progress.share >= _LEAST_SHARE:
        left = elapsed * (1 - progress.share) / progress.share
        words += f", about {_seconds(left)} left"
    return Content.assemble(bar, words)


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _format_of(name: str) -> ExportFormat | None:
    ending = name.rstrip().casefold().rpartition(".")[2]
    return next((form for form in ExportFormat if form.value == ending), None)
