"""StateRow: one row with the state of a thing, and the buttons that act on it at its right end."""

import re
from typing import Final

from textual.app import ComposeResult, RenderResult
from textual.content import Content
from textual.geometry import Size

from tui.widgets.action_button import ActionButton
from tui.widgets.field import LABEL_CELLS, MARKER_CELLS, Field

_BETWEEN_PARTS: Final = re.compile(", | · ")
_STUMP_CELLS: Final = 12
"""So much of a part that is cut says nothing."""


class StateRow(Field):
    """A field whose value is a state. The row draws the state itself, which saves a widget in each row of a page."""

    def __init__(
        self,
        label: str,
        *actions: ActionButton,
        state: Content,
        help: str = "",  # noqa: A002 (the field's term)
        about: str = "",
        consequence: str = "",
        id: str | None = None,  # noqa: A002 (as every widget has it)
    ) -> None:
        super().__init__(label, *actions, help=help, about=about, consequence=consequence, id=id)
        self._actions = actions
        self._state = state

    def compose(self) -> ComposeResult:
        for action in self._actions:
            yield action.add_class("field-beside")

    @property
    def state(self) -> Content:
        """The text between the label and the buttons, cut where it does not fit."""
        return self._state

    @state.setter
    def state(self, state: Content) -> None:
        self._state = state
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(super().get_content_height(container, viewport, width), 2 if self._is_stacked else 1)

    def render(self) -> RenderResult:
        marker, label = self._head()
        state = _cut(self._state, self._room)
        if self._is_stacked:
            return Content("\n").join([Content.assemble(marker, label), Content.assemble(marker, state)])
        return Content.assemble(marker, label.pad_right(LABEL_CELLS - MARKER_CELLS - label.cell_length), state)

    @property
    def _column(self) -> int:
        return LABEL_CELLS

    @property
    def _room(self) -> int:
        """Cells of the state: as far as the margin of the first button."""
        regions = [action.virtual_region_with_margin for action in self._actions if action.display]
        end = min((region.x for region in regions if region), default=self.content_size.width)
        return max(0, end - (MARKER_CELLS if self._is_stacked else LABEL_CELLS))


def _cut(state: Content, cells: int) -> Content:
    """`state` in at most `cells`, with an ellipsis where it is cut: between two parts, if little more could be read."""
    if state.cell_length <= cells:
        return state
    for between in reversed([*_BETWEEN_PARTS.finditer(state.plain)]):
        shown = state[: between.start()]
        if cells - _STUMP_CELLS <= shown.cell_length < cells:
            return Content.assemble(shown, ("…", "$foreground-muted"))
    return state.truncate(cells, ellipsis=True)
