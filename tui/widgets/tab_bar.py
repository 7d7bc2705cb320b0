"""The tabs of a page on one row, drawn by one widget, so that a switch repaints one line."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

DIRTY: str = "•"


@dataclass(frozen=True, slots=True)
class TabLabel:
    """One tab: the id of its pane, its words, and whether a rule stands before it."""

    id: str
    label: str
    starts_area: bool = False


class TabBar(Widget, can_focus=True):
    """`1 Account Binding  2 Security │ 3 Notifications`; a tab with unsaved edits is marked `3•`."""

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Previous tab", id="tabs.left", show=False, tooltip="Show the tab to the left"),
        Binding("right", "step(1)", "Next tab", id="tabs.right", show=False, tooltip="Show the tab to the right"),
    ]

    active: reactive[str] = reactive("", init=False)
    dirty: reactive[frozenset[str]] = reactive(frozenset[str](), init=False)

    @dataclass
    class Activated(Message):
        """Another tab was chosen."""

        bar: "TabBar"
        tab_id: str

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
        """Show the tab `by` places on, around the end."""
        ids = [tab.id for tab in self.tabs]
        self.active = ids[(ids.index(self.active) + by) % len(ids)]

    def on_click(self, event: Click) -> None:
        event.stop()
        for start, end, tab in self._places():
            if start <= event.x < end:
                self.active = tab.id

    def render(self) -> RenderResult:
        line = Content("")
        for start, _, tab in self._places():
            gap = start - line.cell_length
            between = Content.styled("│".center(gap), "$border-blurred") if tab.starts_area else Content(" " * gap)
            line = Content.assemble(line, between, self._draw(tab))
        return line

    def _draw(self, tab: TabLabel) -> Content:
        number, mark = self._number(tab), DIRTY if tab.id in self.dirty else " "
        if tab.id == self.active:
            style = "bold reverse" if self.has_focus else "bold $text-primary underline"
            return Content.styled(f"{number}{mark}{tab.label}", style)
        return Content.assemble((number, "$text-accent"), (mark, "$text-warning"), (tab.label, "$foreground-muted"))

    def _number(self, tab: TabLabel) -> str:
        return str(self.tabs.index(tab) + 1)

    def _places(self) -> list[tuple[int, int, TabLabel]]:
        """Where each tab starts and ends, in cells; gaps and labels shrink when the row is short."""
        width = self.content_size.width or 80
        places: list[tuple[int, int, TabLabel]] = []
        for gap, area_gap, shortened in ((2, 3, False), (1, 3, False), (1, 1, True)):
            places, at = [], 0
            for tab in self.tabs:
                if places:
                    at += area_gap if tab.starts_area else gap
                end = at + 2 + len(tab.label if not shortened else tab.label[:6])
                places.append((at, end, tab))
                at = end
            if at <= width:
                return places
        return places
