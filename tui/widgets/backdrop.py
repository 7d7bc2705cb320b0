"""The screen below a dialog: dimmed but for its footer, which shows the keys of the dialog."""

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from textual.app import App
from textual.color import TRANSPARENT, Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen

from tui.widgets.footer import KeyFooter


class Backdrop(BackgroundScreen):
    """Tints a screen with `color`, but not the rows from `footer_row`."""

    def __init__(self, screen: Screen[object], color: Color, footer_row: int) -> None:
        super().__init__(screen, color)
        self.footer_row = footer_row

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for row, strip in enumerate(self.screen._compositor.render_strips()):  # noqa: SLF001 - as the base class does
            if row:
                yield Segment.line()
            tinted: Iterable[Segment] = self.process_segments(
                strip, TRANSPARENT if row >= self.footer_row else self.color
            )
            yield from tinted


def visible_footer(app: App[object]) -> KeyFooter | None:
    """The footer that can be seen: that of the topmost screen with one."""
    for screen in reversed(app.screen_stack):
        for child in screen.children:
            if isinstance(child, KeyFooter):
                return child
    return None
