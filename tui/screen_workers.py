"""A screen that goes takes its work along.

Textual cancels the workers of a screen once everything on it was taken away (8.2.8). Until then they run on, and one
that is answered meanwhile looks for widgets that are gone, or puts another screen in the place of the next.
"""

from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.dom import DOMNode
from textual.screen import Screen
from textual.worker import Worker, WorkType

# A mixin stands before the class it joins, so at run time it has no base of its own.
if TYPE_CHECKING:
    AppPart = App[Any]
    NodePart = DOMNode
else:
    AppPart = object
    NodePart = object


class CancelScreenWorkers(AppPart):
    """Mix into an `App`, before it: the workers of a screen are cancelled in the moment it leaves the stack."""

    def pop_screen(self) -> AwaitComplete:
        leaving = self.screen
        popped = super().pop_screen()
        self._end_work_of(leaving)
        return popped

    def switch_screen(self, screen: Screen[Any] | str) -> AwaitComplete:
        leaving = self.screen
        switched = super().switch_screen(screen)
        self._end_work_of(leaving)
        return switched

    def _end_work_of(self, screen: Screen[Any]) -> None:
        if screen in self.screen_stack:
            return
        for worker in list(self.workers):
            if screen in worker.node.ancestors_with_self:
                worker.cancel()


class WorkWhileShown(NodePart):
    """Mix into a screen, or a widget of one, before it: no worker begins once its screen has left the stack.

    Give `run_worker` a function: a coroutine that was made for a worker that never begins is never awaited.
    """

    def run_worker(self, work: WorkType[Any], *arguments: Any, **options: Any) -> Worker[Any]:
        worker = super().run_worker(work, *arguments, **options)
        if not any(node in self.app.screen_stack for node in self.ancestors_with_self):
            worker.cancel()
        return worker
