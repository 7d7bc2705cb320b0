"""The dialog for a step that a person takes in a browser: address, short code, QR code and the time that is left."""

from __future__ import annotations

from typing import ClassVar, Final, TypeVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.widgets import Static

from screens.account_modal import AccountModal, Notice
from store.text import sanitize
from tui.glyphs import has_box_characters
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.qr_code import QrCode, fits

R = TypeVar("R")

_TEXT_COLUMNS: Final = 34


class BrowserStep(AccountModal[R]):
    """Subclasses wait for the browser in a worker, and close the dialog with its answer."""

    AUTO_FOCUS: ClassVar[str | None] = "#cancel"

    def __init__(
        self, title: str, instruction: str, url: str, code: str, *, scan_url: str, hint: str | None = None
    ) -> None:
        """`scan_url` is the content of the QR code; `hint` stands below the code."""
        super().__init__()
        self._title, self._instruction, self._hint = title, instruction, hint
        self._url, self._code, self._scan_url = url, code, scan_url

    def compose(self) -> ComposeResult:
        with Dialog(self._title, classes="-full"), Horizontal(classes="beside"):
            yield QrCode(id="qr")
            with Vertical():
                yield Static(self._instruction, classes="muted")
                yield Static(sanitize(self._url, 200), id="url", markup=False, classes="strong")
                yield Static("and enter this code:", classes="muted spaced")
                yield Static(sanitize(self._code, 40), id="short-code", markup=False, classes="strong")
                if self._hint is not None:
                    yield Static(self._hint, id="hint", markup=False, classes="muted spaced")
                yield Static("", id="left", markup=False, classes="spaced")
                yield Notice()
                with Actions():
                    yield ActionButton("Cancel", id="cancel", shortcut="esc")

    def on_mount(self) -> None:
        room = Size(min(self.app.size.width, 80) - 4 - _TEXT_COLUMNS, self.app.size.height - 2)
        if has_box_characters(self.app) and fits(self._scan_url, room):
            self.query_one(QrCode).draw(self._scan_url)

    def show_left(self, sentence: str) -> None:
        """Show how much time is left."""
        for left in self.query("#left").results(Static):  # none while the dialog closes
            left.update(sentence)

    def stop_waiting(self, sentence: str, kind: str = "bad") -> None:
        """Say why the code is no longer valid, and hide it, so that nobody scans it."""
        self.query(QrCode).set(display=False)
        self.show_left("")
        self.say(sentence, kind)
