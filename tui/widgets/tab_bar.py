"""The tabs of a page on one row, in one widget, so that a switch repaints one line."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

DIRTY_MARK: Final = "•"
_ACTIVE_STYLE: Final = "bold $text-primary underline"
_SHORT_LABEL_CELLS: Final = 7
"""Cells of a label on a narrow terminal."""


@dataclass(frozen=True, slots=True)
class TabLabel:
    """One tab: the id of its pane, its label, and whether a separator is before it."""

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
        """Show the tab `by` places to the right; after the last comes the first."""
        ids = [tab.id for tab in self.tabs]
        self.active = ids[(ids.index(self.active) + by) % len(ids)]

    def on_click(self, event: Click) -> None:
        event.stop()
        for start, words, tab in self._places():
            if start <= event.x < start + 2 + len(words):
                self.active = tab.id

    def render(self) -> RenderResult:
        line = Content("")
        for start, words, tab in self._places():
            gap = start - line.cell_length
            between = Content.styled("│".center(gap), "$border-blurred") if tab.starts_area else Content(" " * gap)
            line = Content.assemble(line, between, self._draw(tab, words))
        return line

    def _draw(self, tab: TabLabel, words: str) -> Content:
        number, mark = str(self.tabs.index(tab) + 1), DIRTY_MARK if tab.id in self.dirty else " "
        if tab.id == self.active:
            return Content.styled(f"{number}{mark}{words}", "bold reverse" if self.has_focus else _ACTIVE_STYLE)
        return Content.assemble((number, "$text-accent"), (mark, "$text-warning"), (words, "$foreground-muted"))

    def _places(self) -> list[tuple[int, str, TabLabel]]:
        """Each tab with its start in cells and its label. Gaps and labels shrink if the row is short."""
        width = self.content_size.width or 80
        for gap, area_gap, shorten in ((2, 3, str), (1, 3, _first_word), (1, 1, _first_word), (1, 1, _no_label)):
            places: list[tuple[int, str, TabLabel]] = []
            at = 0
            for tab in self.tabs:
                if places:
                    at += area_gap if tab.starts_area else gap
                words = tab.label if tab.id == self.active and shorten is _no_label else shorten(tab.label)
                places.append((at, words, tab))
                at += 2 + len(words)
            if at <= width:
                break
        return places


def _first_word(label: str) -> str:
    word = label.split(" ")[0]
    return word if len(word) <= _SHORT_LABEL_CELLS else f"{word[: _SHORT_LABEL_CELLS - 1]}…"


def _no_label(_label: str) -> str:
    return ""
