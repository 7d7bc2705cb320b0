"""The base of every input: one line, as wide as its field."""

from typing import Any, Final

from rich.style import Style
from textual.events import Key
from textual.geometry import Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widgets import Input

from tui.widgets.show_secrets import ShowSecrets

_SCROLL_ACTIONS: Final = frozenset(
    {"scroll_left", "scroll_right", "scroll_up", "scroll_down", "page_left", "page_right"}
)
_UNDERLINE: Final = Style(underline=True)


class LineInput(Input):
    """An `Input` that handles keys in their order, and does not lay out the screen again for each."""

    # The virtual size grows with the text, and Textual lays out the screen again at each change (8.2.8). Here the
    # layout does not depend on it: the input fills its field, and the text scrolls.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)

    def __init__(self, value: str | None = None, **options: Any) -> None:
        """`options` are those of `Input`."""
        options.setdefault("compact", True)
        super().__init__(value, **options)

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if not self.app.native_ansi_color:
            return strip
        # Without background colours, a line shows where the field begins and ends.
        return strip.adjust_cell_length(self.content_size.width).apply_style(_UNDERLINE)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # A long text scrolls, and its scroll keys would take ctrl+pageup from the tabs (8.2.8).
        if action in _SCROLL_ACTIONS:
            return False
        # The key of Textual's own clipboard shows the passwords there. A terminal's paste is no key.
        if action == "paste" and isinstance(self.screen, ShowSecrets):
            return False
        return super().check_action(action, parameters)

    async def _on_key(self, event: Key) -> None:
        self._restart_blink()
        # Textual inserts a letter at once, but runs an editing key only after it has passed the application (8.2.8).
        # In keys that arrive together, a letter would be inserted before the deletion that was typed first. Enter
        # still passes through the application, so that it does not overtake a Tab.
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if binding.action != "submit" and await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
