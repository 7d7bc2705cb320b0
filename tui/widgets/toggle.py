"""An on/off switch of one row: `━● on`."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from store.text import sanitize
from tui.glyphs import has_box_characters
from tui.widgets.disabled_focus import KeepFocusWhenDisabled

ON_MARK: Final = "━●"
OFF_MARK: Final = "●━"
PLAIN_ON_MARK: Final = "[x]"
PLAIN_OFF_MARK: Final = "[ ]"
"""The marks for a terminal without box characters."""


class Toggle(KeepFocusWhenDisabled, Widget, can_focus=True):
    """A switch that shows its state as a drawn switch, a word and a colour."""

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space,enter",
            "toggle('value')",
            "Switch",
            id="toggle.switch",
            tooltip="Switch this setting on or off",
        ),
    ]

    value: reactive[bool] = reactive(False, init=False, toggle_class="-on")

    @dataclass
    class Changed(Message):
        """The value has changed, by a person or by the program (use `prevent` while filling a form)."""

        toggle: "Toggle"
        value: bool

        @property
        def control(self) -> "Toggle":
            return self.toggle

    def __init__(
        self,
        value: bool = False,
        label: str = "",
        *,
        on: str = "on",
        off: str = "off",
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        """`on` and `off` are the words for the two states; `label` follows in a muted colour."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.label = sanitize(label)
        self.words = (sanitize(off), sanitize(on))
        self.locked = ""
        """Shown instead of the state if the administrator has decided. The value stays."""
        self.set_reactive(Toggle.value, value)
        self.set_class(value, "-on")

    def watch_value(self, value: bool) -> None:
        self.post_message(self.Changed(self, value))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "toggle" and self.disabled else super().check_action(action, parameters)

    def on_click(self, event: Click) -> None:
        event.stop()
        self.value = not self.value

    def render(self) -> RenderResult:
        if self.locked:
            return Content.styled(f"{self._mark(is_on=False)} {sanitize(self.locked)}", "$foreground-muted")
        word = self.words[self.value].ljust(max(map(len, self.words)))
        plain = self.has_focus
        mark = self._mark(is_on=self.value)
        switch = Content.styled(mark, "" if plain else "$text-success" if self.value else "$foreground-muted")
        label = Content.styled(f"  {self.label}", "$foreground-muted") if self.label else Content("")
        return Content.assemble(switch, " ", word, label)

    def _mark(self, *, is_on: bool) -> str:
        if has_box_characters(self.app):
            return ON_MARK if is_on else OFF_MARK
        return PLAIN_ON_MARK if is_on else PLAIN_OFF_MARK
