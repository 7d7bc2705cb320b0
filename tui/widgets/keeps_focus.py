"""A control that is disabled while it has the focus keeps it, so that the next key does nothing else.

Textual gives the focus to a neighbour (8.2.8): Enter pressed twice on "Send test" switched the channel off.
"""

from typing import TYPE_CHECKING

from textual.dom import NoScreen
from textual.widget import Widget

# A mixin stands before the widget it joins, so at run time it has no base of its own.
if TYPE_CHECKING:
    ControlPart = Widget
else:
    ControlPart = object


class KeepsFocus(ControlPart):
    """Mix into every control that can be disabled, before its widget. Tab goes on from where it stands."""

    def watch_disabled(self, disabled: bool) -> None:
        if disabled and self._is_focused:
            self.update_node_styles()
        else:
            super().watch_disabled(disabled)

    def _check_disabled(self) -> bool:
        # The order of Tab is made of what is not disabled; one that is left out of it has no next.
        return super()._check_disabled() and not self._is_focused

    @property
    def _is_focused(self) -> bool:
        # Known at once; `has_focus` only follows with the message that tells of it.
        try:
            return self.screen.focused is self
        except NoScreen:
            return False
