"""The input under every field: one line as wide as its field, whatever is typed into it."""

from typing import Any, Final

from textual.events import Key
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input

_SCROLLING: Final = frozenset({"scroll_left", "scroll_right", "scroll_up", "scroll_down", "page_left", "page_right"})


class LineInput(Input):
    """An `Input` that takes keys in the order they came, and does not lay the screen out again for each."""

    # How far the text can be scrolled is a virtual size, and Textual takes every change of one for a change of
    # layout (8.2.8). What surrounds this input does not depend on it: it fills its field, and text scrolls within.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)

    def __init__(self, value: str | None = None, **options: Any) -> None:
        """`options` are those of `Input`."""
        options.setdefault("compact", True)
        super().__init__(value, **options)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # A long text can be scrolled, and would take ctrl+pageup from the tabs (8.2.8).
        return False if action in _SCROLLING else super().check_action(action, parameters)

    async def _on_key(self, event: Key) -> None:
        self._restart_blink()
        # Textual lets an editing key rise to the application before it acts on it, and inserts a letter at once
        # (8.2.8). Of what arrives in one piece, as over a slow connection, the letters would come before the
        # deletion that was typed before them, and be deleted. Enter still rises: it must not overtake a Tab.
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if binding.action != "submit" and await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
