"""Workers of a screen end when the screen leaves the stack.

Textual cancels them only after every widget of the screen was removed (8.2.8). A worker that continues until then looks
for widgets that are gone, or replaces a screen that is not its own.
"""

from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.dom import DOMNode
from textual.screen import Screen
from textual.worker import Worker, WorkType

# At run time a mixin has no base of its own, because it stands before the class it joins.
if TYPE_CHECKING:
    AppPart = App[Any]
    NodePart = DOMNode
else:
    AppPart = object
    NodePart = object


class CancelScreenWorkers(AppPart):
    """Mix into an `App`, before it. Cancels the workers of a screen at the moment it leaves the stack."""

    def pop_screen(self) -> AwaitComplete:
        leaving = self.screen
        popped = super().pop_screen()
        self._check_left(leaving)
        return popped

    def switch_screen(self, screen: Screen[Any] | str) -> AwaitComplete:
        leaving = self.screen
        switched = super().switch_screen(screen)
        self._check_left(leaving)
        return switched

    def screen_left(self, screen: Screen[Any]) -> None:
        """Called at the moment `screen` leaves the stack."""
        for worker in list(self.workers):
            if screen in worker.node.ancestors_with_self:
                worker.cancel()

    def _check_left(self, screen: Screen[Any]) -> None:
        if screen not in self.screen_stack:
            self.screen_left(screen)


class WorkWhileShown(NodePart):
    """Mix into a screen or a widget, before it. No worker begins once its screen has left the stack.

    Pass a function to `run_worker`: a coroutine object would never be awaited if the worker does not begin.
    """

    def run_worker(self, work: WorkType[Any], *arguments: Any, **options: Any) -> Worker[Any]:
        worker = super().run_worker(work, *arguments, **options)
        if not any(node in self.app.screen_stack for node in self.ancestors_with_self):
            worker.cancel()
        return worker
