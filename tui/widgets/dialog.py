"""The frame of every modal: a round border with the title in it, and a body that can scroll."""

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from store.text import sanitize


class Dialog(VerticalScroll, can_focus=False):
    """Put one of these into a `ModalScreen`; it is centred, and its scroll keys work from its controls."""

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
        """The words in the upper border; shown as they are, never as markup."""
        return str(self.border_title or "")

    @title.setter
    def title(self, title: str) -> None:
        self.border_title = Content(sanitize(title))
