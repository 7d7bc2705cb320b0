"""Section: a titled part of a page."""

from typing import ClassVar

from textual.color import Color
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus, Resize
from textual.widget import Widget

from store.text import sanitize


class Section(Vertical):
    """A rule with the title and the state in a compact height, a round box with both in its border in a roomy one.

    The style chooses between them by the border: the box has a bottom edge, the rule has none. The section that has the
    focus is drawn in the colour of `.section--focused`: a selector with `:focus-within` would style every control of
    the section again at each Tab.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"section--focused"}

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

    def on_descendant_focus(self, _event: DescendantFocus) -> None:
        self._draw_edge()

    def on_descendant_blur(self, _event: DescendantBlur) -> None:
        self._draw_edge()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._draw_edge()

    def _draw_edge(self) -> None:
        """Put title and state into the border. Only what changed is drawn again."""
        base = self.styles.base
        is_box = bool(base.border_bottom[0])
        accent = self.get_component_styles("section--focused").color if self.has_focus_within else None
        edge = (accent or base.border_top[1]).css if base.border_top[0] else ""
        width = self.outer_size.width
        # Contents with the same text are equal, whatever their colours.
        words = [(content.plain, content.spans) for content in (self._title, self._state)]
        drawn = (is_box, edge, accent, width, *words)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._colour_edge(accent)
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

    def _colour_edge(self, accent: Color | None) -> None:
        """Draw border and title in `accent`, or as the style says."""
        for edge in ("border_top", "border_right", "border_bottom", "border_left"):
            kind = getattr(self.styles.base, edge)[0]
            if accent is None:
                self.styles.clear_rule(edge)
            elif kind:
                # Not cleared before: a border that appears lays the screen out again.
                setattr(self.styles, edge, (kind, accent))
        if accent is None:
            self.styles.clear_rule("border_title_color")
        else:
            self.styles.border_title_color = accent
        self.refresh()
