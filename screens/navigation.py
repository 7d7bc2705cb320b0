"""The sidebar: the visible modules by section."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from store.modules import SECTIONS
from tui.widgets.row_walk import MOVE

_ERROR_BADGES: Final = frozenset({"usage-logs"})
"""Modules whose badge counts what went wrong."""
_HEADINGS: Final = {"chat": "CHAT", "dashboard": "DASHBOARD", "personal": "PERSONAL CENTER"}


class Navigation(Widget, can_focus=True):
    """The whole list in one widget. A bar marks the open page; arrows move the cursor."""

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", id="sidebar.up", group=MOVE, tooltip="Previous module"),
        Binding("down,j", "move(1)", "Down", id="sidebar.down", group=MOVE, tooltip="Next module"),
        Binding("home,g", "edge(0)", "First", id="sidebar.first", show=False, tooltip="First module"),
        Binding("end,G", "edge(-1)", "Last", id="sidebar.last", show=False, tooltip="Last module"),
        Binding("escape", "screen.sidebar", "Close", id="sidebar.close", tooltip="Go back to the page"),
        Binding("enter,space", "open", "Open", id="sidebar.open", tooltip="Open the module under the cursor"),
    ]

    hidden: reactive[frozenset[str]] = reactive(frozenset[str]())
    current: reactive[str] = reactive("settings")
    cursor: reactive[str] = reactive("settings")
    badges: reactive[dict[str, str]] = reactive(dict[str, str])
    """A short text at the right of a module, such as a count."""

    class Opened(Message):
        """A module was chosen."""

        def __init__(self, module: str) -> None:
            super().__init__()
            self.module = module

    @property
    def shown(self) -> list[str]:
        """The ids of the listed modules, always with Settings, where hidden modules are shown again."""
        modules = [module.id for section in SECTIONS for module in section.modules]
        return [module for module in modules if module not in self.hidden or module in ("settings", self.current)]

    def action_move(self, by: int) -> None:
        shown = self.shown
        at = shown.index(self.cursor) if self.cursor in shown else 0
        self.cursor = shown[max(0, min(len(shown) - 1, at + by))]

    def action_edge(self, index: int) -> None:
        self.cursor = self.shown[index]

    def action_open(self) -> None:
        self.post_message(self.Opened(self.cursor))

    def on_focus(self) -> None:
        self.cursor = self.current

    def on_click(self, event: Click) -> None:
        event.stop()
        lines, offset = self._lines(), event.get_content_offset(self)
        if offset is not None and offset.y < len(lines) and (module := lines[offset.y][1]):
            self.cursor = module
            self.action_open()

    def render(self) -> RenderResult:
        return Content("\n").join([self._draw(text, module) for text, module in self._lines()])

    def _draw(self, text: str, module: str) -> Content:
        width = self.content_size.width
        if not module:
            return Content.styled(text, "$foreground-muted")
        is_current = module == self.current
        badge = self.badges.get(module, "")
        room = max(0, width - len(badge) - 2)
        words = f" {text}"[:room].ljust(room)
        if self.has_focus and module == self.cursor:
            line = f"{'▌' if is_current else ' '}{words}{badge} "
            return Content.styled(line, "bold $block-cursor-foreground on $block-cursor-background")
        if is_current:
            # A terminal's own 16 colours have no shades: the ground would be the colour of the text.
            ground = "" if self.app.current_theme.ansi else " on $primary 20%"
            bar = Content.styled("▌", f"$primary{ground}")
            return Content.assemble(bar, Content.styled(f"{words}{badge} ", f"bold $text-primary{ground}"))
        colour = "$text-error" if module in _ERROR_BADGES else "$foreground-muted"
        return Content.assemble(" ", words, (badge, colour), " ")

    def _lines(self) -> list[tuple[str, str]]:
        shown = set(self.shown)
        lines: list[tuple[str, str]] = []
        for section in SECTIONS:
            modules = [module for module in section.modules if module.id in shown]
            if modules:
                lines += [("", "")] if lines else []
                lines.append((_HEADINGS[section.id], ""))
                lines += [(module.label, module.id) for module in modules]
        return lines
