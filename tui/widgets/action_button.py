"""A button of one row, a filled chip: ` Change password p `, or `[Change password p]` without background colours."""

from string import ascii_lowercase
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.css.types import CSSLocation
from textual.geometry import Size
from textual.widgets import Button
from textual.widgets.button import ButtonVariant

from store.text import sanitize
from tui.keymap import UNBOUND
from tui.widgets.disabled_focus import KeepFocusWhenDisabled

_KEYS_BY_LABEL: Final = {"esc": "escape", **{f"^{letter}": f"ctrl+{letter}" for letter in ascii_lowercase}}
"""Names of the keys that a button shows in another way."""


class ActionButton(KeepFocusWhenDisabled, Button):
    """A compact `Button`. `shortcut` is the key that does the same, shown beside the label.

    The key belongs to a binding of a widget around the button. If the person chose another key, that one is shown.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "press", "Press", id="button.press", tooltip="Press the button that has the focus"),
    ]

    def __init__(self, label: str, *, shortcut: str = "", variant: ButtonVariant = "default", **options: Any) -> None:
        super().__init__(Content(sanitize(label)), variant, compact=True, **options)
        self.shortcut = sanitize(shortcut)
        # The label holds the padding. A stylesheet cannot set 0 here (8.2.8).
        self.styles.line_pad = 0

    def _get_default_css(self) -> list[tuple[CSSLocation, str, int, str]]:
        # styles/forms.tcss says how a button looks. Parsing the looks of Textual's own takes 6 ms of a start (8.2.8).
        own = f"{Button.__name__}.DEFAULT_CSS"
        return [source for source in super()._get_default_css() if source[0][1] != own]

    def render(self) -> Content:
        whole = self._chip()
        room = self.content_size.width
        if not room or whole.cell_length <= room:
            return whole
        without_key = self._chip(has_key=False)
        return without_key if without_key.cell_length <= room else self._chip(whole.cell_length - room)

    def _chip(self, too_long: int = 0, *, has_key: bool = True) -> Content:
        """The label, shortened by `too_long` cells, with its ends and key."""
        label = self.label if isinstance(self.label, Content) else Content(str(self.label))
        if too_long:
            label = label.truncate(max(1, label.cell_length - too_long), ellipsis=True)
        key = self._current_shortcut() if has_key else ""
        shortcut = f" {key}" if key else ""
        is_filled = self.has_focus or self.disabled or self.variant == "primary"
        left, right = ("[", "]") if self.app.no_color or self.app.native_ansi_color else (" ", " ")
        return Content.assemble(left, label, (shortcut, "" if is_filled else "$text-accent"), right)

    @property
    def current_key(self) -> str:
        """The key of the button as it is shown; empty without one."""
        return self._current_shortcut()

    def _current_shortcut(self) -> str:
        """The shortcut, or the key that the person chose instead; empty if the action has no key."""
        keymap = self.app._keymap  # noqa: SLF001 - Textual has no other way to ask
        if not keymap or not self.shortcut:
            return self.shortcut
        default = _KEYS_BY_LABEL.get(self.shortcut, self.shortcut)
        for node in self.ancestors:
            bindings = node._bindings  # noqa: SLF001 - likewise
            names = {binding.id for binding in bindings.key_to_bindings.get(default, ()) if binding.id}
            if names:
                live = bindings.copy()
                live.apply_keymap(keymap)
                keys = [binding.with_key(key) for key, binding in live if binding.id in names and key != UNBOUND]
                if not keys or any(binding.key == default for binding in keys):
                    return self.shortcut if keys else ""
                return sanitize(self.app.get_key_display(keys[0]))
        return self.shortcut

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 (Button's)
        return self._chip().cell_length
