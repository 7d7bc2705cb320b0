"""What a screen does on a terminal too small to draw on: it says so, and goes on when there is room again."""

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import RenderResult
from textual.content import Content
from textual.events import Resize
from textual.geometry import Size
from textual.widget import Widget

SMALLEST: Final = Size(40, 10)
"""Columns and rows below which nothing useful fits."""

# A mixin stands before the screen it joins, so at run time it has no base of its own.
if TYPE_CHECKING:
    ScreenPart = Widget
else:
    ScreenPart = object


class SmallScreenNote(Widget, can_focus=True):
    """One line over the whole screen. It holds the focus, so that no key reaches a control nobody can see."""

    ALLOW_SELECT: ClassVar[bool] = False

    focused_before: Widget | None = None
    """What had the focus when the note appeared, and gets it back."""

    def on_mount(self) -> None:
        self.focused_before = self.screen.focused
        self.trap_focus()
        self.focus()

    def render(self) -> RenderResult:
        now = self.app.size
        return Content(f"{now.width} x {now.height} is too small; needs {SMALLEST.width} x {SMALLEST.height}")


class SmallScreenGuard(ScreenPart):
    """Mix into a `Screen`, before it: below `SMALLEST` a note covers the screen, which runs on beneath it."""

    def on_resize(self, event: Resize) -> None:
        small = event.size.width < SMALLEST.width or event.size.height < SMALLEST.height
        notes = list(self.query_children(SmallScreenNote))
        if small and not notes:
            self.mount(SmallScreenNote())
        if not small:
            for note in notes:
                self._give_back(note)

    def _give_back(self, note: SmallScreenNote) -> None:
        before = note.focused_before
        note.remove()
        if before is not None and before.is_attached:
            before.focus()
