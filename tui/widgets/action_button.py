"""A button of one row: `[ Change password  p ]`."""

from typing import Any, ClassVar

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Button
from textual.widgets.button import ButtonVariant

from store.text import plain


class ActionButton(Button):
    """A compact `Button`. `shortcut` is the key that does the same, shown beside the label."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, label: str, *, shortcut: str = "", variant: ButtonVariant = "default", **options: Any) -> None:
        super().__init__(Content(plain(label)), variant, compact=True, **options)
        self.shortcut = plain(shortcut)
        # The brackets are the padding; a stylesheet cannot say 0 here (textual 8.2.8 refuses it).
        self.styles.line_pad = 0

    def render(self) -> Content:
        whole = self._bracketed()
        room = self.content_size.width
        return whole if not room or whole.cell_length <= room else self._bracketed(whole.cell_length - room)

    def _bracketed(self, too_long: int = 0) -> Content:
        """The button with its label shortened by that many cells: the bracket and the key stay in sight."""
        label = self.label if isinstance(self.label, Content) else Content(str(self.label))
        if too_long:
            label = label.truncate(max(1, label.cell_length - too_long), ellipsis=True)
        shortcut = f"  {self.shortcut}" if self.shortcut else ""
        plain_key = self.has_focus or self.disabled
        return Content.assemble("[ ", label, (shortcut, "" if plain_key else "$text-accent"), " ]")

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 (Button's)
        return self._bracketed().cell_length
