"""The command palette."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.widgets import Input
from textual.worker import Worker, WorkerCancelled


class Palette(CommandPalette):
    """Enter waits until the list shows the results for the whole text.

    Textual runs the first command of the present list, which may be that of an earlier text (8.2.8): a name and an
    Enter that arrive together would run another command.
    """

    HELP_TEXT: ClassVar[str] = (
        "Every command by its name: type a part of it, choose with the arrows, and Enter runs it. What cannot be "
        "undone asks before anything happens."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "Help", id="palette.help", tooltip="What this is, and its keys"),
    ]

    def __init__(self, hold_input: Callable[[], AbstractContextManager[None]], **options: Any) -> None:
        """`hold_input` is `Host.hold_input`; `options` are those of `CommandPalette`."""
        super().__init__(**options)
        self._hold_input = hold_input

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()
        self.choose()

    @work(exclusive=True, group="choose")
    async def choose(self) -> None:
        with self._hold_input():
            while (search := self._search_under_way()) is not None:
                with suppress(WorkerCancelled):
                    await search.wait()
            self._select_or_command()

    def _search_under_way(self) -> Worker[object] | None:
        group = self._GATHER_COMMANDS_GROUP
        running = (worker for worker in self.workers if worker.node is self and not worker.is_finished)
        return next((worker for worker in running if worker.group == group), None)
