"""A control that is disabled while it has the focus keeps it.

Textual moves the focus to a neighbour (8.2.8), so a second Enter on "Send test" would switch the channel off.
"""

from typing import TYPE_CHECKING

from textual.dom import NoScreen
from textual.widget import Widget

# At run time a mixin has no base of its own, because it stands before the class it joins.
if TYPE_CHECKING:
    ControlPart = Widget
else:
    ControlPart = object


class KeepFocusWhenDisabled(ControlPart):
    """Mix into a control that can be disabled, before its widget. Tab continues from the control."""

    def watch_disabled(self, disabled: bool) -> None:
        if disabled and self._is_focused:
            self.update_node_styles()
        else:
            super().watch_disabled(disabled)

    def _check_disabled(self) -> bool:
        # Tab needs the place of the control in the focus chain, which leaves out disabled widgets.
        return super()._check_disabled() and not self._is_focused

    @property
    def _is_focused(self) -> bool:
        # `has_focus` changes only with a later message.
        try:
            return self.screen.focused is self
        except NoScreen:
            return False
