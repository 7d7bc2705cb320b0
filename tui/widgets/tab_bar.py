"""The tabs of a page over a rule, in one widget, so that a switch repaints two lines."""

from typing import ClassVar, Final, NamedTuple

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

DIRTY_MARK: Final = "•"
GAPS: Final = ((2, 3), (1, 3), (1, 1))
"""Cells between two tabs, and between two areas, from the widest row to the narrowest."""


class TabLabel(NamedTuple):
    """One tab: the id of its pane, its label, and whether a separator is before it."""

    id: str
    label: str
    starts_area: bool = False


class TabBar(Widget, can_focus=True):
    """`1 Account Binding  2 Security │ 3 Notifications`; a tab with unsaved edits is marked `3•`.

    The heavy part of the rule below marks the active tab. No label is cut: a row that is too short has the label of the
    active tab, and the numbers of the others.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Previous tab", id="tabs.left", show=False, tooltip="Show the tab to the left"),
        Binding("right", "step(1)", "Next tab", id="tabs.right", show=False, tooltip="Show the tab to the right"),
        Binding("enter", "open", "Open", id="tabs.open", tooltip="Go to the first setting of the tab"),
    ]

    active: reactive[str] = reactive("", init=False)
    dirty: reactive[frozenset[str]] = reactive(frozenset[str](), init=False)

    class Activated(Message):
        """Another tab was chosen."""

        def __init__(self, bar: "TabBar", tab_id: str) -> None:
            super().__init__()
            self.bar = bar
            self.tab_id = tab_id

        @property
        def control(self) -> "TabBar":
            return self.bar

    def __init__(self, tabs: tuple[TabLabel, ...], *, active: str, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.tabs = tabs
        self.set_reactive(TabBar.active, active)

    def watch_active(self, active: str) -> None:
        self.post_message(self.Activated(self, active))

    def action_step(self, by: int) -> None:
        """Show the tab `by` places to the right; after the last comes the first."""
        ids = [tab.id for tab in self.tabs]
        self.active = ids[(ids.index(self.active) + by) % len(ids)]

    def action_open(self) -> None:
        """Focus the first control after the tabs."""
        self.screen.focus_next()

    def on_click(self, event: Click) -> None:
        event.stop()
        for start, words, tab in self._places():
            if start <= event.x < start + 2 + len(words):
                self.active = tab.id

    def render(self) -> RenderResult:
        labels, rule = Content(""), Content("")
        width = max(1, self.content_size.width)
        for start, words, tab in self._places():
            gap = start - labels.cell_length
            between = Content.styled("│".center(gap), "$border-blurred") if tab.starts_area else Content(" " * gap)
            drawn = self._draw(tab, words)
            labels = Content.assemble(labels, between, drawn)
            if tab.id == self.active:
                heavy = Content.styled("━" * drawn.cell_length, "bold $primary")
                rule = Content.assemble(("─" * start, "$border-blurred"), heavy)
        rest = Content.styled("─" * (width - rule.cell_length), "$border-blurred")
        return Content.assemble(labels, "\n", rule, rest)

    def _draw(self, tab: TabLabel, words: str) -> Content:
        number, mark = str(self.tabs.index(tab) + 1), DIRTY_MARK if tab.id in self.dirty else " " if words else ""
        if tab.id == self.active:
            style = (
                "bold $block-cursor-foreground on $block-cursor-background" if self.has_focus else "bold $text-primary"
            )
            return Content.styled(f"{number}{mark}{words}", style)
        return Content.assemble((number, "$text-accent"), (mark, "$text-warning"), (words, "$foreground-muted"))

    def _places(self) -> list[tuple[int, str, TabLabel]]:
        """Each tab with its start in cells and its label."""
        width = self.content_size.width or 80
        for has_labels in (True, False):
            for gap, area_gap in GAPS:
                places: list[tuple[int, str, TabLabel]] = []
                at = 0
                for tab in self.tabs:
                    if places:
                        at += area_gap if tab.starts_area else gap
                    words = tab.label if has_labels or tab.id == self.active else ""
                    places.append((at, words, tab))
                    at += 2 + len(words) if words else 1 + (tab.id in self.dirty)
                if at <= width:
                    return places
        return places
