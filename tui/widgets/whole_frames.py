"""WholeFrames: a screen that is styled and arranged once for its size, and painted once for each change."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from textual.events import Resize, ScreenResume
from textual.geometry import Size
from textual.reactive import Reactive
from textual.timer import Timer
from textual.widget import Widget

if TYPE_CHECKING:

    class ScreenPart(Widget):
        """The members of the screen that this mixin uses."""

        _dirty_widgets: set[Widget]

        @property
        def is_current(self) -> bool: ...
        @property
        def _update_timer(self) -> Timer: ...
        def _compositor_refresh(self) -> None: ...
        def _on_timer_update(self) -> None: ...
        def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None: ...

else:
    # At run time a mixin has no base of its own, because it stands before the class it joins.
    ScreenPart = object

_TURNS: Final = 12
"""Turns of the event loop between the first change and its frame. A key that moves the focus changes the widget that
had it, the one that has it, the rows around them and the footer, each some turns later. A turn in which nothing is left
to do takes a hundredth of a millisecond."""


async def _turns() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


@contextmanager
def _silent(reactive: Reactive[Size]) -> Iterator[None]:
    """A change of `reactive` asks for no arrangement meanwhile."""
    reactive._layout = False  # noqa: SLF001 - Textual has no other way
    try:
        yield
    finally:
        reactive._layout = True  # noqa: SLF001 - likewise


class WholeFrames(ScreenPart):
    """Mix into a `Screen`, before it."""

    # Textual paints the whole screen when the focus moves (8.2.8). Whatever shows the focus repaints itself.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    _arranged_for: Size | None = None
    """The size of the last resize. Textual reports a size twice or more, and arranges the screen each time (8.2.8)."""
    _is_arranged = False
    _was_shown = False
    _is_resuming = False
    """It is arranged, but what its widgets make of that is under way. One frame of all comes then."""

    def on_compose(self) -> None:
        self._arranged_for = self.app.size
        self._update_timer._callback = self._paint_when_complete  # noqa: SLF001 - Textual has no other way
        # The timer lets one interval pass after its first start. It passes while the screen is composed.
        self._update_timer.resume()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Skip the styling at the first resume, because every widget has just been styled."""
        event.refresh_styles = self._was_shown
        self._was_shown = self._is_resuming = True

    def on_resize(self, event: Resize) -> None:
        # A screen below may have another size, if the terminal was resized while this one was on its way.
        if event.size == self._arranged_for and all(screen.size == event.size for screen in self.app.screen_stack):
            event.prevent_default()
        self._arranged_for = event.size

    def expect_size(self, size: Size) -> None:
        """Draw nothing before the next frame, and be styled for the size of the resize that follows.

        Textual arranges the screen first, then changes its classes, and arranges it again (8.2.8).
        """
        self._is_resuming = True
        classes: dict[str, bool] = {}
        for cells, breakpoints in (
            (size.width, self.app.HORIZONTAL_BREAKPOINTS or []),
            (size.height, self.app.VERTICAL_BREAKPOINTS or []),
        ):
            reached = max((least for least, _ in breakpoints if least <= cells), default=None)
            classes |= {name: least == reached for least, name in breakpoints}
        self.update_classes(classes, animate=False)

    def arrange_now(self) -> None:
        """Arrange and paint what has changed, without a wait. The order of the focus is that of the places (8.2.8)."""
        if self._layout_required:
            self._on_timer_update()

    async def _paint_when_complete(self) -> None:
        if not self._was_shown:
            self._update_timer.pause()
            return
        await _turns()
        if self._is_resuming and not self._is_arranged and self.is_current:
            self._refresh_layout()
            self._layout_required = False
            self._repaint_required = True
            await _turns()
        self._on_timer_update()

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        """Arrange the screen. The first arrangement waits until every widget has asked for it.

        Textual arranges a new screen when it is resumed, and again because the first arrangement gave its widgets their
        sizes (8.2.8).
        """
        if self._is_arranged:
            super()._refresh_layout(size, scroll)
        elif size is None:
            self._is_arranged = True
            with _silent(Widget.virtual_size):
                super()._refresh_layout(self.app.size, scroll)
            # Textual scrolled to the focus while nothing had a place yet.
            if self.focused is not None and not self.can_view_entire(self.focused):
                self.scroll_to_center(self.focused, animate=False, origin_visible=True)
        else:
            self.refresh(layout=True)

    def _compositor_refresh(self) -> None:
        # A screen below another has to tell that one.
        if not (self._is_resuming and self.is_current):
            super()._compositor_refresh()

    def _on_timer_update(self) -> None:
        if self.is_current and not self.app._batch_count:  # noqa: SLF001 - likewise
            self._is_resuming = False
        # Textual paints what the new arrangement moved, and then, if asked for, the whole screen (8.2.8).
        if self._layout_required and self._repaint_required:
            self._dirty_widgets.add(self)
            self._repaint_required = False
        super()._on_timer_update()
