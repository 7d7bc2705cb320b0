"""AccountModal: the base of every dialog that uses the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from screens.failure_text import failure_text
from screens.submit import SubmitOnce
from store.text import sanitize
from tui.widgets.field import show_at_field
from tui.widgets.small_screen import SmallScreenGuard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from screens.account_actions import Success
    from store.errors import GatekeyError

R = TypeVar("R")
T = TypeVar("T")


class Notice(Static):
    """A sentence below a form; empty at first."""

    def __init__(self, id: str = "notice") -> None:  # noqa: A002 - as every widget has it
        super().__init__("", id=id, markup=False)

    def say(self, sentence: str, kind: str = "bad") -> None:
        """Show `sentence`; `kind` is good, warning, bad or muted."""
        self.set_classes(f"{kind} {'-empty' if not sentence else ''}")
        self.update(sanitize(sentence))

    def clear_sentence(self) -> None:
        """Clear the sentence."""
        if self.content:
            self.say("")


class AccountModal(SmallScreenGuard, SubmitOnce, ModalScreen[R]):
    """A dialog with a `Notice`. Esc closes it, but not while it is busy."""

    HELP_TEXT: ClassVar[str] = ""
    """The purpose of the dialog. F1 shows it with the keys."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1,question_mark",
            "app.help",
            "Help",
            id="modal.help",
            key_display="?",
            tooltip="What this is, and its keys",
        ),
        Binding("escape", "cancel", "Cancel", id="modal.cancel", tooltip="Close this without changing anything"),
    ]

    def __init__(self) -> None:
        super().__init__(classes="modal")
        self._result_due: tuple[R | None] | None = None

    def dismiss(self, result: R | None = None) -> AwaitComplete:
        """Close with `result`. A dialog that is covered, such as by the lock, closes when it is on top again.

        Textual removes the top screen, whichever screen is dismissed (8.2.8): a late answer would open the lock.
        """
        if self.app.screen is self:
            return super().dismiss(result)
        self._result_due = (result,)
        return AwaitComplete()

    def on_screen_resume(self, _event: ScreenResume) -> None:
        self.call_later(self._dismiss_if_result_due)

    def _dismiss_if_result_due(self) -> None:
        if self._result_due is not None and self.app.screen is self:
            (result,) = self._result_due
            self._result_due = None
            self.dismiss(result)

    @on(Button.Pressed, "#cancel")
    def cancel_pressed(self) -> None:
        self.action_cancel()

    def action_cancel(self) -> None:
        if not self.busy:
            self.dismiss(None)

    async def act(self, action: Callable[[], Awaitable[T]], *, holds_input: bool = False) -> Success[T] | None:
        """`run_with_reauth`, and the dialog stays until the account has answered, perhaps with a secret."""
        with self.being_busy():
            return await self.run_with_reauth(action, holds_input=holds_input)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 (as DOMNode has it)
        return None if action == "cancel" and self.busy else True

    def say(self, sentence: str, kind: str = "bad") -> None:
        for notice in self.query(Notice):
            notice.say(sentence, kind)

    def show_failure(self, error: GatekeyError) -> None:
        """Show `error` at its field, or else in the notice."""
        sentence = failure_text(error)
        self.say("" if show_at_field(self, error, sentence=sentence) else sentence)
