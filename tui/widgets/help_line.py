"""The help of the focused field, on a line of its own, so that nothing moves with the focus."""

from typing import Any, ClassVar

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from store.text import sanitize
from tui.widgets.field import Field


class HelpLine(Widget):
    """Shows the `help` of the `Field` that has the focus, above the footer.

    It is empty while another screen covers its own and gets every key.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    text: reactive[str] = reactive("")
    """The text of the line."""

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._focus_moved)
        self.app.screen_change_signal.subscribe(self, self._screen_changed)

    def validate_text(self, text: str) -> str:
        return sanitize(text)

    def render(self) -> RenderResult:
        return Content(self.text)

    def read_again(self) -> None:
        """Read the help of the focused field again."""
        if self.is_attached:
            self._focus_moved(self.screen.focused)

    def _screen_changed(self, _screen: Screen[Any]) -> None:
        self.read_again()

    def _focus_moved(self, focused: Widget | None) -> None:
        ancestors = focused.ancestors if focused is not None and self.screen.is_active else []
        self.text = next((node.help for node in ancestors if isinstance(node, Field)), "")
