"""The frame of every dialog: a round border with the title, and a body that scrolls."""

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList

from store.text import sanitize
from tui.widgets.row_walk import RowWalk


class Dialog(VerticalScroll, RowWalk, can_focus=False):
    """The only child of a `ModalScreen`. It is centred, its arrow keys walk its controls, and it scrolls with them."""

    # The first base gives the style, and its keys would only scroll.
    BINDINGS: ClassVar[list[BindingType]] = RowWalk.BINDINGS

    def __init__(
        self,
        title: str,
        *children: Widget,
        subtitle: str = "",
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        super().__init__(*children, id=id, classes=classes)
        self.add_class("dialog")
        self.title = title
        self.subtitle = subtitle

    @property
    def title(self) -> str:
        """The text in the upper border. Markup in it has no effect."""
        return str(self.border_title or "")

    @title.setter
    def title(self, title: str) -> None:
        self.border_title = Content(sanitize(title))

    @property
    def subtitle(self) -> str:
        """A short sentence in the lower border, such as a rule. Markup in it has no effect."""
        return str(self.border_subtitle or "")

    @subtitle.setter
    def subtitle(self, subtitle: str) -> None:
        self.border_subtitle = Content(sanitize(subtitle))

    def action_walk(self, by: int) -> None:
        """Go to the row above or below; in a list to its next line, and past the last row scroll what is left."""
        before = self.screen.focused
        if isinstance(before, OptionList):
            before.action_cursor_up() if by < 0 else before.action_cursor_down()
            return
        super().action_walk(by)
        if self.screen.focused is before:
            self.scroll_relative(y=by, animate=False)


def is_in_dialog(widget: Widget) -> bool:
    """True if a dialog is around `widget`."""
    return any(isinstance(node, Dialog) for node in widget.ancestors)
