"""An on/off switch of one row: `━● on`, `●━ off`, `━◐━ some`, and `…` while its value is not known."""

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
MIXED_MARK: Final = "━◐━"
UNKNOWN: Final = "…"
PLAIN_ON_MARK: Final = "[x]"
PLAIN_OFF_MARK: Final = "[ ]"
PLAIN_MIXED_MARK: Final = "[-]"
"""The marks for a terminal without box characters."""


class Toggle(KeepFocusWhenDisabled, Widget, can_focus=True):
    """A switch that shows its state as a drawn switch, a word and a colour.

    One that stands for several switches `is_mixed` while they differ; turning it makes all of them on.
    """

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
    is_mixed: reactive[bool] = reactive(False, init=False, layout=True)
    """True if only some of what the switch stands for is on. The value is False meanwhile."""
    is_known: reactive[bool] = reactive(True, init=False)
    """False until the value was read. Turning the switch makes it known."""

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
        is_known: bool = True,
    ) -> None:
        """`on` and `off` are the words for the two states; `label` follows in a muted colour."""
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.label = sanitize(label)
        self.words = (sanitize(off), sanitize(on))
        self.locked = ""
        """Shown instead of the state if the administrator has decided. The value stays."""
        self.set_reactive(Toggle.value, value)
        self.set_reactive(Toggle.is_known, is_known)
        self.set_class(value, "-on")

    def watch_value(self, value: bool) -> None:
        self.is_known = True
        if value:
            self.is_mixed = False
        self.post_message(self.Changed(self, value))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "toggle" and self.disabled else super().check_action(action, parameters)

    def on_click(self, event: Click) -> None:
        event.stop()
        self.value = not self.value

    def render(self) -> RenderResult:
        if self.locked:
            mark, _, colour = self._state(is_on=False)
            return Content.styled(f"{mark} {sanitize(self.locked)}", colour)
        label = Content.styled(f"  {self.label}", "$foreground-muted") if self.label else Content("")
        mark, word, colour = self._state(is_on=self.value)
        width = len(mark) + 1 + max(map(len, self.words))
        if not self.is_known:
            return Content.assemble(Content.styled(UNKNOWN.ljust(width), "$foreground-muted"), label)
        switch = Content.styled(mark, "" if self.has_focus else colour)
        return Content.assemble(switch, " ", word.ljust(width - len(mark) - 1), label)

    def _state(self, *, is_on: bool) -> tuple[str, str, str]:
        """Mark, word and colour."""
        is_drawn = has_box_characters(self.app)
        if self.is_mixed and not self.locked:
            return MIXED_MARK if is_drawn else PLAIN_MIXED_MARK, "some", "$text-warning"
        if is_on:
            return ON_MARK if is_drawn else PLAIN_ON_MARK, self.words[1], "$text-success"
        return OFF_MARK if is_drawn else PLAIN_OFF_MARK, self.words[0], "$foreground-muted"
