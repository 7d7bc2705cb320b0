"""The table of long lists: every row can be reached from both ends, one page is read at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widget import Widget

from tests.unit.tui.widgets.bare_console import Stage
from tui.widgets.keyset_table import KeysetTable
from tui.widgets.keyset_window import KeysetPage
from tui.widgets.table_columns import GAP_CELLS, ColumnFit, TableColumn, fit_columns

PAGE = 25

COLUMNS = (
    TableColumn[int]("Number", lambda row: Content(f"{row:,}"), 9, align="right"),
    TableColumn[int]("Word", lambda row: Content(f"word-{row}-" + "x" * 30), 20, minimum=8, maximum=50, priority=1),
    TableColumn[int]("Half", lambda row: Content(str(row // 2)), 6, align="right", priority=2),
)


@dataclass
class Rows:
    """A list of the numbers `count` to 1, read by pages. `gate` holds the answers back while it is closed."""

    count: int
    reads: list[tuple[str, int | None]] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    table: KeysetTable[int] | None = None
    refuses: str = ""
    step: int = 1

    def __post_init__(self) -> None:
        self.gate.set()

    async def older(self, before: int | None) -> KeysetPage[int] | None:
        async with self._reading("older", before) as is_refused:
            if is_refused:
                return None
            first = self.count if before is None else before - 1
            rows = tuple(row for row in range(first, max(first - PAGE, 0), -1) if row % self.step == 0)
            last = max(first - PAGE, 0) + 1
            return KeysetPage(rows, last if last > 1 else None, f"searched back to {last}")

    async def newer(self, after: int | None) -> KeysetPage[int] | None:
        async with self._reading("newer", after) as is_refused:
            if is_refused:
                return None
            first = (after or 0) + 1
            last = min(first + PAGE - 1, self.count)
            return KeysetPage(tuple(range(last, first - 1, -1)), last if last < self.count else None)

    @asynccontextmanager
    async def _reading(self, direction: str, place: int | None) -> AsyncIterator[bool]:
        self.reads.append((direction, place))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
            if self.refuses and self.table is not None:
                self.table.fail(self.refuses)
            yield bool(self.refuses)
        finally:
            self.running -= 1


class Shown(Stage):
    def __init__(self, rows: Rows, *, has_newer: bool = True, max_rows: int = 100) -> None:
        super().__init__()
        self.rows = rows
        self.table = rows.table = KeysetTable(
            COLUMNS,
            older=rows.older,
            newer=rows.newer if has_newer else None,
            key=lambda row: row,
            text=str,
            noun="number",
            empty="No number yet.",
            max_rows=max_rows,
        )

    def compose(self) -> Iterator[Widget]:
        yield self.table

    def on_mount(self) -> None:
        self.table.focus()
        self.table.restart()

    def numbers(self) -> list[int]:
        """The numbers that can be read on the screen."""
        firsts = (line.lstrip("▌ ").split(" ")[0].replace(",", "") for line in self.lines())
        return [int(first) for first in firsts if first.isdigit() and f"word-{first}" in self.shown()]


@asynccontextmanager
async def shown(
    rows: Rows, size: tuple[int, int] = (60, 12), *, has_newer: bool = True, max_rows: int = 100
) -> AsyncIterator[tuple[Shown, Pilot[None]]]:
    app = Shown(rows, has_newer=has_newer, max_rows=max_rows)
    async with app.run_test(size=size) as pilot:
        yield app, pilot


async def settle(app: Shown, pilot: Pilot[None]) -> None:
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()


async def press(app: Shown, pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(app, pilot)


# -- every row, from both ends ------------------------------------------------------------------------------------


async def test_every_row_is_met_going_down_and_again_going_up() -> None:
    rows = Rows(600)
    async with shown(rows) as (app, pilot):
        await settle(app, pilot)
        assert await walk(app, pilot, 1, to=1) == list(range(600, 0, -1))
        assert await walk(app, pilot, -1, to=600) == list(range(1, 601))
    assert rows.most_running == 1
    assert len(rows.reads) < 100


async def walk(app: Shown, pilot: Pilot[None], by: int, *, to: int) -> list[int]:
    """The rows under the cursor, from the present one to the row `to`."""
    met: list[int] = []
    while (row := app.table.row) is not None and (not met or met[-1] != to):
        if met and row == met[-1]:
            await settle(app, pilot)
            app.table.action_move(by)
            assert app.table.row != row
            continue
        met.append(row)
        assert app.table.row_count <= 100 + PAGE
        app.table.action_move(by)
    return met


async def test_end_reads_the_oldest_page_and_not_those_between() -> None:
    rows = Rows(1_000_000)
    async with shown(rows) as (app, pilot):
        await settle(app, pilot)
        await press(app, pilot, "end")
        assert app.table.row == 1
        assert app.numbers()[-1] == 1
        assert len(rows.reads) < 8, rows.reads
        assert "newer above" in app.shown()
        await press(app, pilot, *["pageup"] * 12)
        assert app.table.row is not None
        assert app.table.row > 90
        assert app.numbers() == sorted(app.numbers(), reverse=True)
        await press(app, pilot, "home")
        assert app.table.row == 1_000_000
        assert app.numbers()[0] == 1_000_000


async def test_without_a_reader_of_newer_rows_end_goes_to_the_last_row_there_is_yet() -> None:
    async with shown(Rows(90), has_newer=False) as (app, pilot):
        await settle(app, pilot)
        for _ in range(4):
            await press(app, pilot, "end")
        assert (app.table.row, app.table.row_count) == (1, 90)
        await press(app, pilot, "home")
        assert app.table.row == 90


async def test_the_page_keys_keep_a_line_in_sight() -> None:
    async with shown(Rows(300)) as (app, pilot):
        await settle(app, pilot)
        seen = app.numbers()
        assert len(seen) == 10
        await press(app, pilot, "pagedown")
        assert app.table.row == 300 - 9
        assert app.numbers()[0] == seen[-1]
        await press(app, pilot, "pageup", "k", "up", "j")
        assert app.table.row == 299


async def test_the_wheel_scrolls_and_keeps_the_cursor_in_sight() -> None:
    async with shown(Rows(300)) as (app, pilot):
        await settle(app, pilot)
        for _ in range(12):
            await pilot._post_mouse_events([_wheel()], app.table, offset=(5, 5))
            await settle(app, pilot)
        assert app.numbers()[0] == 300 - 36
        assert app.table.row in app.numbers()


def _wheel() -> type:
    from textual.events import MouseScrollDown

    return MouseScrollDown


# -- one question at a time ----------------------------------------------------------------------------------------


async def test_a_stale_answer_is_dropped_and_never_two_are_read_at_once() -> None:
    rows = Rows(50)
    async with shown(rows) as (app, pilot):
        await settle(app, pilot)
        rows.gate.clear()
        app.table.restart()
        await pilot.pause()
        rows.count = 20
        app.table.restart()
        app.table.restart()
        await pilot.pause()
        started = len(rows.reads)
        rows.gate.set()
        await settle(app, pilot)
        assert len(rows.reads) == started + 1
        assert (rows.most_running, app.table.rows) == (1, list(range(20, 0, -1)))


async def test_a_jump_to_the_end_takes_the_place_of_a_page_that_is_being_read() -> None:
    rows = Rows(10_000)
    async with shown(rows) as (app, pilot):
        await settle(app, pilot)
        rows.gate.clear()
        await pilot.press(*["pagedown"] * 6)
        await pilot.press("end")
        rows.gate.set()
        await settle(app, pilot)
        assert app.table.row == 1
        assert app.table.rows == list(range(app.table.row_count, 0, -1))


# -- what is said --------------------------------------------------------------------------------------------------


async def test_nothing_is_claimed_before_the_answer() -> None:
    rows = Rows(0)
    rows.gate.clear()
    async with shown(rows) as (app, pilot):
        await pilot.pause()
        assert "Reading…" in app.shown()
        assert "No number yet." not in app.shown()
        assert "▁▁▁" in app.shown()
        rows.gate.set()
        await settle(app, pilot)
        assert "No number yet." in app.shown()
        assert "▁" not in app.shown()
        await press(app, pilot, "end", "home", "enter", "y", "pagedown", "down", "up")
        assert app.table.row is None


async def test_the_number_of_rows_is_told_in_the_singular_too() -> None:
    async with shown(Rows(1)) as (app, pilot):
        await settle(app, pilot)
        assert "1 number\n" in f"{app.shown()}\n"


async def test_a_failure_is_told_and_tried_again_where_it_was() -> None:
    rows = Rows(300)
    async with shown(rows) as (app, pilot):
        await settle(app, pilot)
        rows.refuses = "The data is \x1b[31mlocked."
        await press(app, pilot, *["pagedown"] * 9)
        assert app.table.has_failed
        last = app.table.row
        assert "✗ The data is" in app.shown()
        assert "\x1b" not in app.shown()
        asked = len(rows.reads)
        await press(app, pilot, "up", "down", "down")
        assert len(rows.reads) == asked, "nothing is asked again by itself"
        rows.refuses = ""
        await press(app, pilot, "f5")
        assert not app.table.has_failed
        assert app.table.row == last
        await press(app, pilot, "down")
        assert last is not None
        assert app.table.row == last - 1


@pytest.mark.parametrize(("count", "words"), [(3, "✗ 3 numbers, read before."), (0, "✗ No number yet.")])
async def test_a_failure_that_is_told_elsewhere_leaves_what_was_read(count: int, words: str) -> None:
    rows = Rows(count)
    async with shown(rows) as (app, pilot):
        await settle(app, pilot)
        rows.refuses, rows.table = "told elsewhere", None
        await press(app, pilot, "f5")
        assert app.table.has_failed
        assert f"{words} Refresh reads it again." in app.shown()
        assert app.table.row_count == count


async def test_a_search_whose_pages_have_no_rows_goes_on_to_the_end() -> None:
    rows = Rows(500, step=490)
    async with shown(rows) as (app, pilot):
        await settle(app, pilot)
        assert app.numbers() == [490]
        rows.step = 10_000
        rows.gate.clear()
        app.table.restart()
        await pilot.pause()
        rows.gate.set()
        await settle(app, pilot)
        assert "No number yet." in app.shown()


async def test_enter_and_a_second_click_open_the_row_and_y_copies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    async with shown(Rows(300)) as (app, pilot):
        await settle(app, pilot)
        await press(app, pilot, "down", "enter")
        assert [message.row for message in app.messages if isinstance(message, KeysetTable.Opened)] == [299]
        await pilot.click(app.table, offset=(4, 5))
        assert app.table.row == 296
        await pilot.click(app.table, offset=(4, 5))
        assert [message.row for message in app.messages if isinstance(message, KeysetTable.Opened)] == [299, 296]
        await press(app, pilot, "y")
        assert app.clipboard == "296"


# -- columns -------------------------------------------------------------------------------------------------------


def test_columns_fit_every_width() -> None:
    for room in range(9, 120):
        placed = fit_columns(COLUMNS, room)
        used = sum(column.width for column in placed) + GAP_CELLS * (len(placed) - 1)
        assert used <= room
        assert placed[0].column.label == "Number"
        assert all(column.narrowest <= at.width <= column.widest for at in placed for column in [at.column])
    assert [column.column.label for column in fit_columns(COLUMNS, 20)] == ["Number", "Word"]
    assert [column.width for column in fit_columns(COLUMNS, 100)] == [9, 50, 6]


WORDS = (
    TableColumn[str]("Word", Content, 12, minimum=6, maximum=60),
    TableColumn[str]("Length", lambda word: Content(f"{len(word):,}"), 12, minimum=3, align="right"),
    TableColumn[str](
        "Mark",
        lambda word: Content("!" if "!" in word else "not marked"),
        10,
        minimum=4,
        priority=2,
        is_told=lambda word: "!" in word,
    ),
    TableColumn[str]("State", lambda _: Content("in_progress"), 8, minimum=5, maximum=26, priority=1),
)


def widths_of(fit: ColumnFit[str]) -> dict[str, int]:
    return {placed.column.label: placed.width for placed in fit.placed}


def test_columns_are_as_wide_as_their_rows() -> None:
    fit = ColumnFit(WORDS)
    fit.resize(200)
    assert widths_of(fit) == {"Word": 60, "Length": 12, "Mark": 10, "State": 26}, "before the first row"
    fit.see(["a-word-of-20-letters"])
    assert widths_of(fit) == {"Word": 20, "Length": 6, "Mark": 10, "State": 11}
    fit.see(["short"])
    assert widths_of(fit)["Word"] == 20, "a row that was shown keeps its room"
    fit.forget()
    fit.see(["short!"])
    assert widths_of(fit)["Word"] == 6


def test_a_column_that_tells_nothing_goes_before_another_is_cut() -> None:
    fit = ColumnFit(WORDS)
    fit.resize(20 + 6 + 11 + 2 * GAP_CELLS)
    fit.see(["a-word-of-20-letters"])
    assert widths_of(fit) == {"Word": 20, "Length": 6, "State": 11}
    fit.see(["marked!"])
    assert "Mark" in widths_of(fit), "now it tells something"


def test_a_column_that_tells_nothing_goes_before_an_extra_that_does() -> None:
    extra = replace(WORDS[3], label="Extra", is_extra=True, priority=9)
    fit = ColumnFit((WORDS[0], WORDS[2], extra))
    fit.resize(20 + 11 + GAP_CELLS)
    fit.see(["a-word-of-20-letters"])
    assert widths_of(fit) == {"Word": 20, "Extra": 11}


def test_an_extra_goes_before_another_is_cut_and_others_before_the_first_is() -> None:
    extra = replace(WORDS[3], label="Extra", is_extra=True, priority=9)
    fit = ColumnFit((WORDS[0], WORDS[1], WORDS[3], extra))
    fit.see(["a-word"])
    whole = 6 + 6 + 11 + 2 * GAP_CELLS
    for room, shown in (
        (whole + 11 + GAP_CELLS, ["Word", "Length", "State", "Extra"]),
        (whole + 11 + GAP_CELLS - 1, ["Word", "Length", "State"]),
        (whole - 6, ["Word", "Length", "State"]),
        (whole - 7, ["Word", "Length"]),
    ):
        fit.resize(room)
        assert list(widths_of(fit)) == shown, room
        assert widths_of(fit)["Word"] == 6


def test_a_number_is_never_cut() -> None:
    column = TableColumn[int]("N", lambda number: Content(f"{number:,}"), 12, minimum=3, maximum=30, align="right")
    for room in range(1, 80):
        fit = ColumnFit((TableColumn[int]("Word", lambda _: Content("x" * 40), 12, minimum=6, maximum=60), column))
        fit.resize(room)
        fit.see([10**12])
        assert fit.placed[-1].width == len("1,000,000,000,000")


def test_what_is_left_goes_to_the_column_that_fills() -> None:
    fit = ColumnFit((replace(WORDS[0], fills=True), WORDS[1]))
    fit.resize(50)
    fit.see(["short"])
    assert widths_of(fit) == {"Word": 50 - 6 - GAP_CELLS, "Length": 6}


async def test_a_long_word_ends_in_an_ellipsis_and_is_whole_on_a_wide_screen() -> None:
    async with shown(Rows(3), size=(46, 12)) as (app, pilot):
        await settle(app, pilot)
        assert "word-3-xxx" in app.shown()
        assert "…" in app.lines()[1]
        await pilot.resize_terminal(90, 12)
        await settle(app, pilot)
        assert "word-3-" + "x" * 30 in app.lines()[1]


async def test_numbers_are_aligned_at_the_right() -> None:
    async with shown(Rows(1001)) as (app, pilot):
        await settle(app, pilot)
        await press(app, pilot, "down")
        ends = {app.lines()[at + 1].index(number) + len(number) for at, number in enumerate(("1,001", "1,000", "999"))}
        assert len(ends) == 1
