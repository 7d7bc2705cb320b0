"""Secrets on the screen hide by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget

if TYPE_CHECKING:
    from textual.timer import Timer

# At run time a mixin has no base of its own, because it stands before the class it joins.
if TYPE_CHECKING:
    WidgetPart = Widget
else:
    WidgetPart = object


class AutoHide(WidgetPart):
    """Mix into a widget that shows a secret, before it.

    Calls `hide` `SHOWN_FOR_S` seconds after `hide_later`, when another screen covers the widget, when the terminal
    loses the focus, and before the program is suspended.
    """

    SHOWN_FOR_S: ClassVar[float] = 60.0

    _hide_timer: Timer | None = None

    def hide(self) -> None:
        """Make the secret unreadable. Safe to call at any time."""
        raise NotImplementedError

    def hide_later(self) -> None:
        """Start the time until the secret hides, or start it again."""
        self.stop_hide_timer()
        self._hide_timer = self.set_timer(self.SHOWN_FOR_S, self.hide)

    def stop_hide_timer(self) -> None:
        if self._hide_timer is not None:
            self._hide_timer.stop()
            self._hide_timer = None

    def on_mount(self) -> None:
        self.app.screen_change_signal.subscribe(self, self._screen_changed, immediate=True)
        self.app.app_suspend_signal.subscribe(self, lambda _app: self.hide(), immediate=True)
        self.watch(self.app, "app_focus", self._terminal_focus_changed, init=False)

    def _screen_changed(self, _screen: object) -> None:
        # Not `is_current`: it also holds for a screen that shows through behind a modal.
        if self.is_attached and self.app.screen is not self.screen:
            self.hide()

    def _terminal_focus_changed(self, focused: bool) -> None:
        if not focused:
            self.hide()
