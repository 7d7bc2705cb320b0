"""Section: a titled part of a page."""

from typing import ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget

from store.text import sanitize


class Section(Vertical):
    """A rule with the title and the state in a compact height, a round box with both in its border in a roomy one.

    The style chooses between them by the border: the box has a bottom edge, the rule has none. The section that has the
    focus is drawn in the accent colour.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(
        self,
        title: str,
        *children: Widget,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        super().__init__(*children, id=id, classes=f"section {classes or ''}")
        self._title = Content(sanitize(title))
        self._state = Content("")
        self._drawn: tuple[object, ...] = ()

    @property
    def title(self) -> Content:
        """The title, on the left of the upper edge."""
        return self._title

    @title.setter
    def title(self, title: Content) -> None:
        self._title = title
        self._draw_edge()

    @property
    def state(self) -> Content:
        """The state, on the right of the rule or in the lower edge of the box."""
        return self._state

    @state.setter
    def state(self, state: Content) -> None:
        self._state = state
        self._draw_edge()

    def on_resize(self, _event: Resize) -> None:
        self._draw_edge()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._draw_edge()

    def _draw_edge(self) -> None:
        """Put title and state into the border. Only what changed is drawn again."""
        is_box = bool(self.styles.border_bottom[0])
        edge = self.styles.border_top[1].css if self.styles.border_top[0] else ""
        width = self.outer_size.width
        drawn = (is_box, edge, width, self._title, self._state)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        if is_box:
            self.border_title, self.border_subtitle = self._title, self._state
            return
        self.border_subtitle = ""
        if not self._state.plain:
            self.border_title = Content.assemble(" ", self._title, " ")
            return
        room = max(0, width - self._title.cell_length - 8)
        state = self._state.truncate(room, ellipsis=True).stylize_before("not bold")
        rule = "─" * max(0, width - self._title.cell_length - state.cell_length - 6)
        self.border_title = Content.assemble(
            " ", self._title, " ", Content.styled(rule, f"not bold {edge}"), " ", state, " "
        )
