"""WholeFrames: a screen that is arranged once for its size, and painted once when it is shown."""

from typing import TYPE_CHECKING

from textual.events import Resize
from textual.geometry import Size
from textual.widget import Widget

if TYPE_CHECKING:

    class ScreenPart(Widget):
        """The members of the screen that this mixin uses."""

        _dirty_widgets: set[Widget]

        def _on_timer_update(self) -> None: ...

else:
    # At run time a mixin has no base of its own, because it stands before the class it joins.
    ScreenPart = object


class WholeFrames(ScreenPart):
    """Mix into a `Screen`, before it."""

    _arranged_for: Size | None = None
    """The size of the last resize. Textual reports a size twice or more, and arranges the screen each time (8.2.8)."""

    def on_resize(self, event: Resize) -> None:
        if event.size == self._arranged_for:
            event.prevent_default()
        self._arranged_for = event.size

    def _on_timer_update(self) -> None:
        # Textual paints what the new arrangement moved, and then, if asked for, the whole screen (8.2.8).
        if self._layout_required and self._repaint_required:
            self._dirty_widgets.add(self)
            self._repaint_required = False
        super()._on_timer_update()
