"""The frame of every dialog: a round border with the title, and a body that scrolls."""

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from store.text import sanitize


class Dialog(VerticalScroll, can_focus=False):
    """The only child of a `ModalScreen`. It is centred, and its scroll keys work from its controls."""

    def __init__(
        self,
        title: str,
        *children: Widget,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        super().__init__(*children, id=id, classes=classes)
        self.add_class("dialog")
        self.title = title

    @property
    def title(self) -> str:
        """The text in the upper border. Markup in it has no effect."""
        return str(self.border_title or "")

    @title.setter
    def title(self, title: str) -> None:
        self.border_title = Content(sanitize(title))
