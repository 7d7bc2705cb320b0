"""Usage, drawing and task logs, newest first, in a table without end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from screens.limited_text import reworded
from screens.modules.log_columns import action_columns, drawing_columns, row_text, task_columns, usage_columns
from screens.modules.log_details import LogDetails
from screens.modules.log_filter import FilterFault, read_filter
from screens.modules.log_filter_line import FilterHint, FilterLine
from screens.modules.module_page import ModulePage
from screens.relative_time import clock
from store.text import sanitize
from store.values.usage import Kind, LoggedEntry, UsageChoices, UsageFilter, UsagePage
from tui.widgets.keyset_table import KeysetTable
from tui.widgets.keyset_window import KeysetPage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime, tzinfo

    from store.errors import GatekeyError
    from tui.widgets.table_columns import TableColumn

_OTHER_FILTER = "These entries are those of the filter before."
_NO_MATCH = "No call matches the filter. Esc shows all of them."


class LogPage(ModulePage):
    """A filter line, which `/` opens, and the table."""

    IS_EXPLAINED: ClassVar[bool] = False
    KIND: ClassVar[Kind | None] = None
    NOUN: ClassVar[str] = "call"
    EMPTY: ClassVar[str] = "Nothing has been logged yet."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "show_all", "Show all", id="log.show-all", tooltip="End the filter"),
        Binding("slash", "filter", "Filter", id="log.filter", key_display="/", tooltip="Show only some entries"),
        Binding("e", "export", "Export", id="log.export", tooltip="Write the entries that are shown into a file"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Widget's)
        super().__init__(id=id, classes=f"{classes or ''} -broad")
        self.can_focus = False
        self.only = UsageFilter(kind=self.KIND)
        """The entries that are shown."""
        self._shown_only = self.only
        """The filter of the rows in the table: those of the one before stay if none could be read for a new one."""
        self._applied = ""
        self._choices = UsageChoices()

    def compose(self) -> ComposeResult:
        yield FilterLine(id="log-filter")
        yield FilterHint(id="log-hint")
        yield KeysetTable[LoggedEntry](
            self.columns(self.app.zone, self.account.now()),
            older=self._older,
            newer=None if self.account.capabilities.no_reading_upwards else self._newer,
            key=lambda row: row.id,
            text=partial(row_text, self.app.zone),
            noun=self.NOUN,
            empty=self.EMPTY,
        )

    def columns(self, zone: tzinfo, now: datetime) -> Sequence[TableColumn[LoggedEntry]]:
        """The columns of the table, with times in `zone`."""
        return usage_columns(zone, now)

    @property
    def purpose(self) -> str:
        can = self.account.capabilities
        of_tasks = can.no_task_models if self.KIND is not None else ""
        downwards = can.no_reading_upwards if self.KIND is None else ""
        text = reworded(
            self.HELP_TEXT,
            (of_tasks, " key:", ""),
            (downwards, "the end, and End goes to the oldest.", "the end."),
        )
        return " ".join(filter(None, (text, of_tasks, can.no_reading_upwards)))

    @property
    def table(self) -> KeysetTable[LoggedEntry]:
        return self.query_one(KeysetTable)

    def focus(self, scroll_visible: bool = True) -> LogPage:
        self.table.focus(scroll_visible)
        return self

    def show_again(self) -> None:
        """Read again what could not be read. Else a log keeps its position, until the refresh key is pressed."""
        if self.table.has_failed:
            self.table.action_reload()

    def reload(self) -> None:
        self.table.restart()

    def show_failure(self, error: GatekeyError) -> None:
        self.table.fail(f"{error.title}. {error}")

    # -- reading ---------------------------------------------------------------------------------------------

    async def _older(self, before: int | None) -> KeysetPage[LoggedEntry] | None:
        only = self.only
        page = await self._read(lambda: self.account.usage_page(only, before), is_whole=before is None)
        return None if page is None else KeysetPage(page.entries, page.next_before, self._note(page))

    async def _newer(self, after: int | None) -> KeysetPage[LoggedEntry] | None:
        only = self.only
        page = await self._read(lambda: self.account.usage_page_after(only, after), is_whole=False)
        return None if page is None else KeysetPage(page.entries, page.next_after, self._note(page))

    async def _read(self, read: Callable[[], Awaitable[UsagePage]], *, is_whole: bool) -> UsagePage | None:
        only = self.only
        with self.reading(is_whole=is_whole):
            page = await self.fetch(read)
        if page is not None:
            self._shown_only = only
        elif self.unread and only != self._shown_only and self.table.row_count:
            self.table.fail(_OTHER_FILTER)
        return None if page is None else page.value

    def _note(self, page: UsagePage) -> str:
        return f"searched to {clock(page.searched_to, self.app.zone)}" if page.searched_to is not None else ""

    # -- the filter ------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        line = self.query_one(FilterLine)
        line.display = True
        line.focus()
        self._show_suggestions()
        self.read_choices()

    @work(exclusive=True, group="choices")
    async def read_choices(self) -> None:
        choices = await self.run_with_reauth(self.account.usage_choices)
        if choices is not None and self.is_attached:
            self._choices = self.query_one(FilterLine).choices = choices.value
            self._show_suggestions()

    @on(Input.Changed, "#log-filter")
    def filter_changed(self) -> None:
        self._show_suggestions()
        self.refresh_bindings()

    @on(Input.Submitted, "#log-filter")
    def filter_entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._apply(event.value.strip())

    def _apply(self, text: str) -> None:
        """Show what matches `text`, or where it cannot be read."""
        line, hint = self.query_one(FilterLine), self.query_one(FilterHint)
        try:
            only = read_filter(text, self._choices, self.account.now().astimezone(self.app.zone), self.KIND)
        except FilterFault as fault:
            hint.show_fault(str(fault), line.cells_before(fault.start), fault.length)
            return
        self._applied, line.display = text, bool(text)
        self.table.focus()
        hint.clear()
        self.table.say_when_empty(_NO_MATCH if text else self.EMPTY)
        if only != self.only:
            self.only = only
            self.table.restart()
        self.refresh_bindings()

    @on(FilterLine.Left)
    def filter_left(self) -> None:
        """Leave the line with the filter that is applied."""
        line = self.query_one(FilterLine)
        line.value, line.display = self._applied, bool(self._applied)
        self.query_one(FilterHint).clear()
        self.table.focus()

    def action_show_all(self) -> None:
        self.query_one(FilterLine).value = ""
        self._apply("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "show_all":
            return bool(self._applied)
        if action in {"filter", "export"} and self.query_one(FilterLine).has_focus:
            return False
        if action == "export" and not self.account.files.are_allowed:
            return False
        return super().check_action(action, parameters)

    def _show_suggestions(self) -> None:
        line = self.query_one(FilterLine)
        if line.has_focus:
            self.query_one(FilterHint).show_suggestions(line.suggestions)

    # -- one entry, and the export ----------------------------------------------------------------------------

    @on(KeysetTable.Opened)
    def opened(self, event: KeysetTable.Opened) -> None:
        row: Any = event.row
        self.app.push_screen(LogDetails(row))

    def action_export(self) -> None:
        self.run_exclusive(self._export)

    async def _export(self) -> None:
        from screens.modules.row_export import export_rows

        name = f"{self.id or 'log'}.csv".replace("-page", "")
        only, typed = self.only, sanitize(self._applied, 200)
        what = f"The entries that match: {typed}" if typed else "Every entry of this log."
        await export_rows(self, what, name, lambda path, form, told: self.account.export_usage(path, form, only, told))


class UsageLogsPage(LogPage):
    """Every call."""

    HELP_TEXT: ClassVar[str] = (
        "Every call, newest first: its kind, model, tokens, cost and how it ended. More is read as the cursor nears "
        "the end, and End goes to the oldest. The filter takes model: key: status: kind: ip: since: until: with a "
        "name or a part of it; times are dates, 13:00, 24h, 7d or today. The client's address is there only while "
        "Privacy records it."
    )
    EMPTY = "No call has been made yet. Calls with your API keys appear here."


class DrawingLogsPage(LogPage):
    """Calls that made images."""

    HELP_TEXT: ClassVar[str] = (
        "Calls that made images, newest first. They are paid one by one, or by their tokens where the "
        "model server reports them. The filter takes model: key: status: since: until:."
    )
    KIND = Kind.DRAWING
    NOUN = "call"
    EMPTY = "No image has been made yet."

    def columns(self, zone: tzinfo, now: datetime) -> Sequence[TableColumn[LoggedEntry]]:
        return (action_columns if self.account.capabilities.no_task_models else drawing_columns)(zone, now)


class TaskLogsPage(LogPage):
    """Batches and other long work."""

    HELP_TEXT: ClassVar[str] = (
        "Batches and other work that takes long, newest first, with how far they have come and what was charged for "
        "them. The filter takes model: key: status: since: until:."
    )
    KIND = Kind.TASK
    NOUN = "task"
    EMPTY = "No task has been started yet."

    def columns(self, zone: tzinfo, now: datetime) -> Sequence[TableColumn[LoggedEntry]]:
        return (action_columns if self.account.capabilities.no_task_models else task_columns)(zone, now)
