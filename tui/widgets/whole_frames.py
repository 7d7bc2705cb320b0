"""WholeFrames: a screen that is styled and arranged once for its size, and painted once for each change."""

import asyncio
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

else:
    # At run time a mixin has no base of its own, because it stands before the class it joins.
    ScreenPart = object

_TURNS: Final = 12
"""Turns of the event loop between the first change and its frame. A key that moves the focus changes the widget that
had it, the one that has it, the rows around them and the footer, each some turns later. A turn in which nothing is left
to do takes a hundredth of a millisecond."""


class WholeFrames(ScreenPart):
    """Mix into a `Screen`, before it."""

    # Textual paints the whole screen when the focus moves (8.2.8). Whatever shows the focus repaints itself.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    _arranged_for: Size | None = None
    """The size of the last resize. Textual reports a size twice or more, and arranges the screen each time (8.2.8)."""
    _was_shown = False
    _is_resuming = False
    """It is arranged, but what its widgets make of that is under way. One frame of all comes then."""

    def on_compose(self) -> None:
        self._arranged_for = self.app.size

    def on_mount(self) -> None:
        self._update_timer._callback = self._paint_when_complete  # noqa: SLF001 - Textual has no other way

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
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self._on_timer_update()

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
