"""A button of one row: `[ Change password  p ]`."""

from typing import Any, ClassVar, Final

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Button
from textual.widgets.button import ButtonVariant

from store.text import sanitize
from tui.keymap import UNBOUND
from tui.widgets.disabled_focus import KeepFocusWhenDisabled

_KEYS: Final = {"esc": "escape", "^s": "ctrl+s"}
"""Keys by what is written for them on a button, where that is not their name."""


class ActionButton(KeepFocusWhenDisabled, Button):
    """A compact `Button`. `shortcut` is the key that does the same, shown beside the label.

    It is the key of a binding of a widget around the button: if the person gave that another key, this one shows.
    """

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, label: str, *, shortcut: str = "", variant: ButtonVariant = "default", **options: Any) -> None:
        super().__init__(Content(sanitize(label)), variant, compact=True, **options)
        self.shortcut = sanitize(shortcut)
        # The brackets are the padding; a stylesheet cannot say 0 here (textual 8.2.8 refuses it).
        self.styles.line_pad = 0

    def render(self) -> Content:
        whole = self._bracketed()
        room = self.content_size.width
        return whole if not room or whole.cell_length <= room else self._bracketed(whole.cell_length - room)

    def _bracketed(self, too_long: int = 0) -> Content:
        """The button with its label shortened by that many cells: the bracket and the key stay in sight."""
        label = self.label if isinstance(self.label, Content) else Content(str(self.label))
        if too_long:
            label = label.truncate(max(1, label.cell_length - too_long), ellipsis=True)
        key = self._live_shortcut()
        shortcut = f"  {key}" if key else ""
        plain_key = self.has_focus or self.disabled
        return Content.assemble("[ ", label, (shortcut, "" if plain_key else "$text-accent"), " ]")

    def _live_shortcut(self) -> str:
        """The shortcut, or the key that the person has put in its place; empty if nothing does the same any more."""
        keymap = self.app._keymap  # noqa: SLF001 - Textual has no other way to ask
        if not keymap or not self.shortcut:
            return self.shortcut
        default = _KEYS.get(self.shortcut, self.shortcut)
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
        return self._bracketed().cell_length
