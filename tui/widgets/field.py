"""Fields of a form: a label, a control, and an error below it."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.app import ComposeResult, RenderResult
from textual.content import Content
from textual.dom import DOMNode
from textual.events import Click, DescendantBlur, DescendantFocus
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import AwaitMount, Widget

from store.errors import GatekeyError
from store.text import sanitize

MIN_ERROR_CELLS = 24
"""Cells that an error needs beside the label column. With less room it begins below the label."""

LABEL_CELLS = 29
"""Cells of the column of labels; `$label-column` of styles/forms.tcss."""
MARKER_CELLS = 2
"""Cells of the marker, and of the gap to the label."""


class Field(Widget):
    """One row of a form, with a marker while it has the focus.

    The label column is as wide as the left margin of `.field-control` in the style. A top margin puts the label above.

    The field draws its marker, its label and its error itself, to save widgets and, at each Tab, their styling. The
    `HelpLine` of the screen shows its help: a line that appears here would move the button below it between press and
    release of the mouse, and the click is lost.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    error: reactive[str] = reactive("", init=False)
    """The error as one sentence, or "". A change of the control's value clears it."""
    note: reactive[Content] = reactive(Content(""), init=False, always_update=True)
    """A sentence below the control that is no error, such as the strength or what became of the last message.

    It stands in the row that is reserved for the error, while there is none, or else above the error.
    """

    def __init__(
        self,
        label: str,
        control: Widget,
        *beside: Widget,
        help: str = "",  # noqa: A002 (the field's term)
        about: str = "",
        consequence: str = "",
        title: str = "",
        reserve_error: bool = False,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        """`beside` is to the right of the control, such as a unit or a button.

        The `HelpLine` shows `help`; the `ContextPanel` shows `title`, or else the label, `about` and `consequence`.
        With `reserve_error` one row below the control is kept for the error, so that nothing moves when it appears.
        """
        super().__init__(id=id, classes=classes)
        self.label = sanitize(label)
        self.control = control
        """The widget with the value."""
        self.help = sanitize(help)
        self.about = about
        """The purpose in full; paragraphs are separated by an empty line."""
        self.consequence = consequence
        self.last_change = ""
        """A sentence on the last change of the value, or ""."""
        self.title = sanitize(title) or self.label.strip()
        self._reserved = int(reserve_error)
        self._beside = beside

    def compose(self) -> ComposeResult:
        yield self.control.add_class("field-control")
        for widget in self._beside:
            yield widget.add_class("field-beside")

    def add_beside(self, *widgets: Widget) -> AwaitMount:
        """Mount more widgets to the right of the control."""
        return self.mount(*(widget.add_class("field-beside") for widget in widgets))

    def on_mount(self) -> None:
        if hasattr(self.control, "value"):
            self.watch(self.control, "value", self.clear_error, init=False)

    def on_descendant_focus(self, _event: DescendantFocus) -> None:
        self.refresh()

    def on_descendant_blur(self, _event: DescendantBlur) -> None:
        self.refresh()

    def clear_error(self) -> None:
        self.error = ""

    def validate_error(self, error: str) -> str:
        return sanitize(error)

    def watch_note(self, before: Content, after: Content) -> None:
        # Contents with the same text are equal, whatever their colours.
        if not before.is_same(after):
            self.refresh(layout=not self._reserved)

    def watch_error(self, before: str, after: str) -> None:
        self.set_class(bool(after), "-error")
        self.refresh(layout=before != after)

    def on_click(self, event: Click) -> None:
        if event.widget is self:
            self.control.focus()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        height = super().get_content_height(container, viewport, width)
        return max(1, height) + max(self._reserved, len(self._lines_below(width)))

    def render(self) -> RenderResult:
        below = self._lines_below(self.content_size.width)
        marker, label = self._head()
        above = max(1, self.content_size.height - len(below))
        rest = marker if self._is_stacked else Content("")
        return Content("\n").join([Content.assemble(marker, label), *[rest] * (above - 1), *below])

    def _head(self) -> tuple[Content, Content]:
        """The marker, and the label where it fits."""
        is_focused, width = self.has_focus_within, self.content_size.width
        marker = Content.styled("▌ ", "$primary") if is_focused else Content("  ")
        label = Content.styled(self.label, "bold" if is_focused else "")
        cells = (width if self._is_stacked else self._column - 1) - MARKER_CELLS
        return marker, label.truncate(max(0, cells), ellipsis=True)

    @property
    def _is_stacked(self) -> bool:
        """True if the label is above the control."""
        return bool(self.control.styles.margin.top)

    @property
    def _column(self) -> int:
        return self.control.styles.margin.left

    def _indent(self, width: int) -> int:
        """Cells before what stands below the control."""
        return self._column if width - self._column >= MIN_ERROR_CELLS else min(2, width - 1)

    def _lines_below(self, width: int) -> list[Content]:
        """The note and the error."""
        if width <= 0:
            return []
        indent = self._indent(width)
        room = max(1, width - indent)
        error = Content.styled(f"✗ {self.error}", "$text-error").wrap(room) if self.error else []
        if self._reserved:
            lines = error or [self.note.truncate(room, ellipsis=True)]
        else:
            lines = [*(self.note.wrap(room) if self.note.plain else []), *error]
        return [line.pad_left(indent) for line in lines]


def show_errors(root: DOMNode, sentences: Mapping[str, str]) -> list[str]:
    """Show each sentence at the field whose control has that id, and focus the first of these fields.

    Every other field under `root` loses its error. Returns the sentences without a field, which the caller shows.
    """
    fields = list(root.query(Field))
    first: Field | None = None
    for field in fields:
        sentence = sentences.get(field.control.id or "", "")
        field.error = sentence
        if sentence and first is None:
            first = field
    if first is not None:
        # The focus would scroll to the control, perhaps before the sentences have their places.
        first.control.focus(scroll_visible=False)
        first.call_after_refresh(first.scroll_visible, animate=False)
    return _unplaced(fields, sentences)


def show_at_field(root: DOMNode, error: GatekeyError, control: str | None = None, sentence: str = "") -> bool:
    """Show `error` at its field, and clear every other field; returns whether there is such a field.

    `control` is the id of the field's control, if that is not the name in the error; `sentence` stands for the error's.
    """
    name = error.field if control is None else control
    return not show_errors(root, {name: sentence or str(error)} if name else {}) and bool(name)


def _unplaced(fields: Iterable[Field], sentences: Mapping[str, str]) -> list[str]:
    placed = {field.control.id for field in fields}
    return [sentence for name, sentence in sentences.items() if sentence and name not in placed]
