"""The command palette."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.command import Command, CommandPalette, DiscoveryHit, Hit, Hits, SimpleProvider
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input, OptionList
from textual.worker import Worker, WorkerCancelled

from store.text import sanitize
from tui.widgets.palette_command import PaletteCommand
from tui.widgets.row_walk import MOVE
from tui.widgets.small_screen import SmallScreenGuard

MAX_WIDTH_CELLS: Final = 76
EDGE_CELLS: Final = 5
"""Border, padding and scrollbar."""


class Palette(SmallScreenGuard, CommandPalette):
    """Enter waits until the list shows the results for the whole text.

    Textual runs the first command of the present list, which may be that of an earlier text (8.2.8): a name and an
    Enter that arrive together would run another command.
    """

    HELP_TEXT: ClassVar[str] = (
        "Every command by its name: type a part of it, choose with the arrows, and Enter runs it. What cannot be "
        "undone asks before anything happens."
    )
    ENTER_WORDS: ClassVar[str] = "Run"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "command_list('cursor_up')", "Up", id="palette.up", group=MOVE, tooltip="The command above"),
        Binding("down", "cursor_down", "Down", id="palette.down", group=MOVE, tooltip="The command below"),
        Binding("escape", "escape", "Close", id="palette.close", tooltip="Close the list, and do nothing"),
        Binding("f1", "app.help", "Help", id="palette.help", tooltip="What this is, and its keys"),
    ]

    def __init__(
        self,
        screen: Screen[Any],
        commands: Sequence[PaletteCommand],
        hold_input: Callable[[], AbstractContextManager[None]],
        end_preview: Callable[[], object],
        **options: Any,
    ) -> None:
        """`screen` is the one below; `hold_input` is `Host.hold_input`; `end_preview` undoes a preview.

        `options` are those of `CommandPalette`.
        """
        super().__init__(placeholder="Type what you want to do", **options)
        self._supplied_providers = (_Commands(screen, self),)  # type: ignore[assignment]  # Textual accepts one
        self.commands = tuple(commands)
        self._hold_input = hold_input
        self._end_preview = end_preview
        self._shows_preview = False

    @property
    def line_width(self) -> int:
        """Cells of one line of the list."""
        return min(MAX_WIDTH_CELLS, self.app.size.width) - EDGE_CELLS

    def on_resize(self, _event: Resize) -> None:
        if self._providers:
            self._gather_commands(self.query_one(Input).value.strip())

    def on_unmount(self) -> None:
        if self._selected_command is None:
            self._stop_preview()

    @on(OptionList.OptionHighlighted)
    def show_preview(self, event: OptionList.OptionHighlighted) -> None:
        """Show the highlighted theme. It is left again with another command, and by closing the list."""
        command = event.option.hit.command if isinstance(event.option, Command) else None
        if isinstance(command, _Run) and command.command.preview is not None:
            command.command.preview()
            self._shows_preview = True
        else:
            self._stop_preview()

    def _stop_preview(self) -> None:
        if self._shows_preview:
            self._shows_preview = False
            self._end_preview()

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


class _Run:
    """Runs a command. Textual keeps only what is called, and the palette asks it for the preview."""

    def __init__(self, command: PaletteCommand) -> None:
        self.command = command

    def __call__(self) -> object:
        return self.command.run()


class _Commands(SimpleProvider):
    """Searches the commands that the palette was opened with."""

    def __init__(self, screen: Screen[Any], palette: "Palette") -> None:
        super().__init__(screen, [])
        self._palette = palette

    async def discover(self) -> Hits:
        for command in self._palette.commands:
            title = Content(sanitize(command.title))
            yield DiscoveryHit(command.draw(title, self._palette.line_width), _Run(command), command.title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._palette.commands:
            if score := command.score(query, matcher.match(command.title)):
                title = matcher.highlight(sanitize(command.title))
                yield Hit(score, command.draw(title, self._palette.line_width), _Run(command), command.title)
