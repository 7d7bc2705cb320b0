"""A secret on the screen, masked until it is revealed."""

from typing import ClassVar, Final

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.selection import Selection
from textual.widget import Widget

from store.text import sanitize
from tui.widgets.auto_hide import AutoHide

MASK: Final = "•" * 24
"""The same for every secret, so that its length does not show."""


class SecretView(AutoHide, Widget, can_focus=True):
    """Shows one secret on one row, or more if it wraps."""

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space,enter",
            "flip",
            "Reveal or hide",
            id="secret.flip",
            tooltip="Show the secret for a minute, or hide it",
        ),
    ]

    revealed: reactive[bool] = reactive(False, toggle_class="-revealed", init=False)

    class Revealed(Message):
        """The secret can be read now."""

    def __init__(
        self,
        secret: str = "",
        *,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._secret = sanitize(secret)

    def on_unmount(self) -> None:
        self._secret = ""

    def reveal(self) -> None:
        """Make the secret readable until it hides again."""
        if self._secret:
            self.revealed = True

    def hide(self) -> None:
        self.revealed = False

    def action_flip(self) -> None:
        if self.revealed:
            self.hide()
        else:
            self.reveal()

    def on_click(self, event: Click) -> None:
        event.stop()
        self.action_flip()

    def watch_revealed(self, revealed: bool) -> None:
        if revealed:
            self.hide_later()
            self.post_message(self.Revealed())
        else:
            self.stop_hide_timer()
        self.refresh(layout=True)

    def get_selection(self, selection: Selection) -> None:
        """Nothing: "select all" asks every widget, whatever ALLOW_SELECT says."""

    def render(self) -> RenderResult:
        if not self._secret:
            return Content("")
        return Content(self._secret if self.revealed else MASK)
