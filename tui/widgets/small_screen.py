"""A note that covers a screen while the terminal is too small for it."""

from typing import ClassVar, Final

from rich.console import RenderableType
from textual.app import RenderResult
from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Size
from textual.renderables.background_screen import BackgroundScreen
from textual.widget import Widget

from tui.widgets.backdrop import Backdrop, visible_footer
from tui.widgets.whole_frames import WholeFrames

MIN_SIZE: Final = Size(40, 10)
"""Columns and rows that every screen needs."""
LOW_ROWS: Final = 22
"""Below this many rows a dialog has no blank row inside its border."""


class SmallScreenNote(Widget, can_focus=True):
    """One line over the whole screen. It keeps the focus, so that no key reaches a hidden control."""

    ALLOW_SELECT: ClassVar[bool] = False

    focused_before: Widget | None = None
    """The widget that had the focus, and gets it back."""

    def on_mount(self) -> None:
        self.focused_before = self.screen.focused
        self.trap_focus()
        self.focus()

    def render(self) -> RenderResult:
        now = self.app.size
        return Content(f"{now.width} x {now.height} is too small; needs {MIN_SIZE.width} x {MIN_SIZE.height}")


class SmallScreenGuard(WholeFrames):
    """Mix into a `Screen`, before it. Below `MIN_SIZE` a note covers the screen, which keeps running.

    A dialog leaves the footer of the screen below as it is, and passes clicks on to it.
    """

    def render(self) -> RenderableType:
        rendered: RenderableType = super().render()  # type: ignore[assignment]  # that of the screen
        if isinstance(rendered, BackgroundScreen) and (footer := visible_footer(self.app)) is not None:
            return Backdrop(rendered.screen, rendered.color, footer.region.y)
        return rendered

    async def on_click(self, event: Click) -> None:
        footer = visible_footer(self.app)
        if footer is not None and self.is_modal and event.widget is self and event.screen_y >= footer.region.y:
            event.prevent_default()
            event.stop()
            await footer.press_at(event.screen_x)

    def on_compose(self) -> None:
        """Set the classes of the terminal's size before the first styling: the first resize would style all again."""
        width, height = self.app.size
        for size, points in ((width, self.app.HORIZONTAL_BREAKPOINTS), (height, self.app.VERTICAL_BREAKPOINTS)):
            names = [name for least, name in points or () if size >= least]
            self.add_class(*names[-1:], update=False)
        if height < LOW_ROWS:
            self.add_class("-low", update=False)

    def on_resize(self, event: Resize) -> None:
        small = event.size.width < MIN_SIZE.width or event.size.height < MIN_SIZE.height
        self.set_class(event.size.height < LOW_ROWS, "-low")
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
