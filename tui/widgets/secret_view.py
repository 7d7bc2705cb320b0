"""A secret on the screen: hidden until asked for, and hidden again as soon as nobody may be looking."""

from typing import ClassVar, Final

from textual.app import App, RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.selection import Selection
from textual.timer import Timer
from textual.widget import Widget

from store.text import sanitize

SHOWN_FOR: Final = 60.0
"""Seconds until a revealed secret hides by itself."""

MASK: Final = "•" * 24
"""As long for every secret, so that it does not tell a length."""


class SecretView(Widget, can_focus=True):
    """Shows one secret on one row (or more, if it wraps).

    It hides after `shown_for` seconds, when the terminal loses the focus, when another screen covers it, when
    the program is suspended and on `hide()`.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space,enter",
            "flip",
            "Reveal or hide",
            id="secret.flip",
            tooltip="Show the secret for a minute, or hide it",
        ),
    ]

    revealed: reactive[bool] = reactive(False, toggle_class="-revealed", init=False)

    class Revealed(Message):
        """The secret can be read now."""

        def __init__(self, view: "SecretView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "SecretView":
            return self.view

    class Hidden(Message):
        """The secret cannot be read any more."""

        def __init__(self, view: "SecretView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "SecretView":
            return self.view

    def __init__(
        self,
        secret: str = "",
        *,
        shown_for: float = SHOWN_FOR,
        id: str | None = None,  # noqa: A002 (as every widget has it)
        classes: str | None = None,
    ) -> None:
        """`shown_for` is in seconds."""
        super().__init__(id=id, classes=classes)
        self._secret = sanitize(secret)
        self._shown_for = shown_for
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self.app.screen_change_signal.subscribe(self, self._screen_changed, immediate=True)
        self.app.app_suspend_signal.subscribe(self, self._suspended, immediate=True)
        self.watch(self.app, "app_focus", self._terminal_focus_changed, init=False)

    def on_unmount(self) -> None:
        self._secret = ""

    def set_secret(self, secret: str) -> None:
        """Shows another secret, hidden; an empty one forgets the last."""
        self.hide()
        self._secret = sanitize(secret)
        self.refresh(layout=True)

    def reveal(self) -> None:
        """Makes the secret readable until it hides again."""
        if self._secret:
            self.revealed = True

    def hide(self) -> None:
        """Makes the secret unreadable; safe to call at any time."""
        self.revealed = False

    def action_flip(self) -> None:
        if self.revealed:
            self.hide()
        else:
            self.reveal()

    def on_click(self, event: Click) -> None:
        event.stop()
        self.action_flip()

    def watch_revealed(self, revealed: bool) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(self._shown_for, self.hide) if revealed else None
        self.refresh(layout=True)
        self.post_message(self.Revealed(self) if revealed else self.Hidden(self))

    def get_selection(self, selection: Selection) -> None:
        """Nothing: "select all" asks every widget, whatever ALLOW_SELECT says."""

    def render(self) -> RenderResult:
        if not self._secret:
            return Content("")
        return Content(self._secret if self.revealed else MASK)

    def _screen_changed(self, _screen: object) -> None:
        # `is_current` would not do: it also holds for a screen that shows through behind a modal.
        if self.app.screen is not self.screen:
            self.hide()

    def _suspended(self, _app: App[object]) -> None:
        self.hide()

    def _terminal_focus_changed(self, focused: bool) -> None:
        if not focused:
            self.hide()
