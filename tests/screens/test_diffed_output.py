"""Diffed output shows what stock output shows: every frame, on two terminals, compared cell by cell."""

import asyncio
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, set_cell_size
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, Static, Switch, TabbedContent, TabPane
from wcwidth import wcwidth

from tests.harness.pty_screen import Screen
from tui.diffed_output import DiffedOutput
from tui.posix_driver import PosixDriver

WIDE = "漢字 かな 한글 🎉🚀 Ａ ｶﾅ e\u0301 nai\u0308ve ─│┼ ▀▄█ ⠿ Ünïcödé"


def seen(char: pyte.screens.Char) -> pyte.screens.Char:
    """A character without what nobody sees: the ink of a space."""
    if char.data != " " or char.underscore or char.strikethrough or char.reverse:
        return char
    return char._replace(fg="default", bold=False, italics=False, blink=False)


def picture(screen: Screen) -> list[list[pyte.screens.Char]]:
    """All that is seen, by line and column."""
    return [[seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


class Terminals:
    """A terminal that gets what Textual writes, beside one that gets what the driver makes of it."""

    def __init__(self, columns: int, lines: int) -> None:
        self.stock, self.diffed = Screen(columns, lines), Screen(columns, lines)
        self._stock_stream, self._diffed_stream = pyte.Stream(self.stock), pyte.Stream(self.diffed)
        self.bytes = [0, 0]
        self.frames = 0
        self.faults: list[str] = []
        """The faults, by frame; an error raised here would end up on the application's own screen."""

    def write_stock(self, data: str) -> None:
        self._stock_stream.feed(data)
        self.bytes[0] += len(data.encode())

    def write(self, data: str) -> None:
        """The driver's output, in place of Textual's writer thread."""
        self._diffed_stream.feed(data)
        self.bytes[1] += len(data.encode())

    def resize(self, columns: int, lines: int) -> None:
        for screen in (self.stock, self.diffed):
            screen.resize(lines, columns)

    def scribble(self) -> None:
        """Another program writes over both screens."""
        for stream in (self._stock_stream, self._diffed_stream):
            stream.feed("\x1b7\x1b[5;1H\x1b[41mBroadcast message from root\x1b[0m\x1b8")

    def compare(self) -> None:
        self.frames += 1
        for y in self.stock.dirty | self.diffed.dirty:
            for x in range(self.stock.columns):
                expected, shown = seen(self.stock.buffer[y][x]), seen(self.diffed.buffer[y][x])
                if expected != shown:
                    self.faults.append(f"frame {self.frames}, line {y}, column {x}: {shown} is not {expected}")
        self.stock.dirty.clear()
        self.diffed.dirty.clear()
        if (self.diffed.cursor.x, self.diffed.cursor.y) != (self.stock.cursor.x, self.stock.cursor.y):
            self.faults.append(f"frame {self.frames}: the cursor is elsewhere")


class TwinDriver(PosixDriver):
    """The console's driver, with the two terminals where the real one would be."""

    terminals: ClassVar[Terminals]
    erases: ClassVar[bool] = False

    def write(self, data: str) -> None:
        self.terminals.write_stock(data)
        super().write(data)
        if data.endswith("H"):
            self.terminals.compare()
            if self._output._forgotten:
                self.terminals.faults.append(f"not understood: {data!r}")

    def start_application_mode(self) -> None:
        self._output = DiffedOutput(erases_in_background=self.erases)
        self._writer_thread = self.terminals  # type: ignore[assignment]  # stands in for the thread
        self.write("\x1b[?1049h\x1b[?7l")
        self._app.call_later(self._app.post_message, Resize(Size(80, 24), Size(80, 24)))

    def resize(self, columns: int, lines: int) -> None:
        self.terminals.resize(columns, lines)
        self._output.forget()
        self._app.post_message(Resize(Size(columns, lines), Size(columns, lines)))

    def disable_input(self) -> None: ...

    def stop_application_mode(self) -> None: ...

    def close(self) -> None: ...


class Dialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]
    CSS = "Dialog { align: center middle; } Dialog > Vertical { width: 40; height: 9; border: round $primary; }"

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("半角 and 全角 in a dialog over wide text")
            yield Input(placeholder="password", password=True)


class Sample(App[None]):
    """Everything that paints in its own way: tabs, inputs, scrolling, wide text, modal, toast, palette."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f4", "open_dialog", "Dialog")]
    CSS = "VerticalScroll { height: 12; } #shifted { offset-x: 3; width: 30; background: $boost; }"

    def compose(self) -> ComposeResult:
        with TabbedContent():
            for tab in range(1, 4):
                with TabPane(f"Tab {tab}", id=f"tab-{tab}"):
                    yield Input(f"text of tab {tab}", id=f"input-{tab}", compact=True)
                    yield Switch()
                    yield Static(f"{WIDE} {tab}", id=f"wide-{tab}", markup=False)
                    with VerticalScroll(id=f"scroll-{tab}"):
                        for line in range(30):
                            yield Label(f"{'宽' * (line % 5)}line {line} [b]bold[/b] [link='https://x.example']x[/]")
        yield Static("shifted 漢字漢字", id="shifted")
        yield Static("", id="empty")
        yield Footer()

    def action_open_dialog(self) -> None:
        self.push_screen(Dialog())


@dataclass
class Journey:
    """The steps a person takes, each compared at every frame it paints."""

    app: Sample
    pilot: Pilot[Any]
    steps: int = field(default=0)

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.steps += 1
            await self.pilot.press(key)
            await self.pilot.pause()

    async def run(self) -> None:
        driver = self.app._driver
        assert isinstance(driver, TwinDriver)
        await self.press("tab", "tab", "x", "漢", "é", "left", "backspace", "home", "🎉", "delete", "end")
        await self.press("tab", "space", "tab", "down", "down", "pagedown", "end", "home", "shift+tab")
        for tab in ("tab-2", "tab-3", "tab-1"):
            self.steps += 1
            self.app.query_one(TabbedContent).active = tab
            await self.pilot.pause()
        await self.press("f4", "s", "e", "c", "escape")
        await self.press("ctrl+p", "t", "h", "backspace", "escape")
        self.app.notify("Saved 保存しました", title="Price")
        await self.press("tab")
        for columns, lines in ((60, 20), (120, 40), (80, 24)):
            self.steps += 1
            driver.resize(columns, lines)
            await self.pilot.pause()
        for theme in ("textual-light", "ansi-dark", "textual-dark"):
            self.steps += 1
            self.app.theme = theme
            await self.pilot.pause()
        self.app.query_one("#shifted").styles.offset = (4, 0)
        await self.press("tab")
        self.app.query_one("#wide-1", Static).update("a" + WIDE)
        await self.press("tab")
        driver.terminals.scribble()
        driver.repaint()
        await self.press("tab")
        assert "Broadcast" not in "".join(driver.terminals.diffed.display)


@pytest.fixture
def twin_driver() -> Iterator[type[TwinDriver]]:
    """A fresh pair of terminals; a driver installs handlers for stop and continue, so those are put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    TwinDriver.terminals = Terminals(80, 24)
    yield TwinDriver
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("erases", [False, True])
@pytest.mark.parametrize(("term", "colorterm"), [("xterm-256color", "truecolor"), ("xterm", "")])
def test_every_frame_of_a_journey_shows_the_same_cells(
    term: str, colorterm: str, erases: bool, twin_driver: type[TwinDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colorterm)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(twin_driver, "erases", erases)
    journeys: list[Journey] = []

    async def travel(pilot: Pilot[Any]) -> None:
        journeys.append(Journey(app, pilot))
        await journeys[0].run()
        app.exit()

    app = Sample(driver_class=twin_driver)
    asyncio.run(app.run_async(size=(80, 24), auto_pilot=travel))
    terminals = twin_driver.terminals
    assert terminals.faults == []
    assert app._exception is None
    assert journeys[0].steps >= 25
    assert terminals.frames >= journeys[0].steps
    assert terminals.bytes[1] < 0.4 * terminals.bytes[0]


class BlankingScreen(Screen):
    """A screen that blanks the other half of a wide character when one half is overwritten, as xterm does."""

    def draw(self, data: str) -> None:
        for char in data:
            if width := wcwidth(char):
                x = min(self.cursor.x, self.columns - width)
                line = self.buffer[self.cursor.y]
                for half, neighbour in ((x, x - 1), (x + width, x + width)):
                    if 0 < half < self.columns and line[half].data == "":
                        line[neighbour] = line[neighbour]._replace(data=" ")
            super().draw(char)


COLUMNS, LINES = 20, 3
PENS = [
    "",
    "1",
    "2;3",
    "31",
    "38;5;9;48;2;1;2;3",
    "1;38;2;9;9;9;48;2;1;2;3",
    "4;7;97;104",
    "48;5;17",
    "39;49",
]
GRAPHEMES = st.sampled_from([*"ab  ─é漢🎉", "e\u0301"])
TEXTS = st.lists(GRAPHEMES, max_size=6).map("".join) | st.integers(1, COLUMNS).map(" ".__mul__)
SEGMENT = st.tuples(st.sampled_from(PENS), TEXTS)
RUN = st.tuples(st.integers(0, LINES - 1), st.integers(0, COLUMNS - 1), st.lists(SEGMENT, min_size=1, max_size=4))


def frame_of(runs: list[tuple[int, int, list[tuple[str, str]]]]) -> str:
    """A compositor update: the runs from the top down, cut at the right edge, then the cursor."""
    parts: list[str] = []
    for y, x, segments in sorted(runs, key=lambda run: run[:2]):
        parts.append(f"\x1b[{y + 1};{x + 1}H")
        left = COLUMNS - x
        for pen, text in segments:
            fitting = set_cell_size(text, min(left, cell_len(text)))
            parts.append(f"\x1b[{pen}m{fitting}\x1b[0m" if pen else fitting)
            left -= cell_len(fitting)
        parts.append("\n" if y < LINES - 1 else "")
    return "".join(parts) + "\x1b[2;3H"


@settings(max_examples=150, deadline=None)
@given(
    st.none()
    | st.lists(st.tuples(st.lists(SEGMENT, max_size=4), st.sampled_from(PENS)), min_size=LINES, max_size=LINES),
    st.lists(st.lists(RUN, min_size=1, max_size=5), min_size=1, max_size=8),
    st.booleans(),
)
def test_any_sequence_of_frames_shows_the_same_cells(
    whole: list[tuple[list[tuple[str, str]], str]] | None,
    frames: list[list[tuple[int, int, list[tuple[str, str]]]]],
    erases: bool,
) -> None:
    """`whole` is a first frame that paints every cell: segments for each line, and the pen of the rest of it."""
    if whole is not None:
        filled = [(y, 0, [*segments, (pen, " " * COLUMNS)]) for y, (segments, pen) in enumerate(whole)]
        frames = [filled, *frames]
    stock, diffed = BlankingScreen(COLUMNS, LINES), BlankingScreen(COLUMNS, LINES)
    streams = pyte.Stream(stock), pyte.Stream(diffed)
    output = DiffedOutput(erases_in_background=erases)
    for runs in frames:
        frame = frame_of(runs)
        for stream, data in zip(
            streams, ("\x1b[?7l" + frame, "\x1b[?7l" + output.render(frame, (COLUMNS, LINES))), strict=True
        ):
            stream.feed(data)
        assert not output._forgotten
        assert picture(diffed) == picture(stock)
        assert diffed.cursor.attrs == diffed.default_char


def test_the_same_frame_again_writes_nothing() -> None:
    output = DiffedOutput()
    frame = "\x1b[1;1H\x1b[1mone\x1b[0m two\x1b[1;1H"
    assert output.render(frame, (10, 2)) == "\x1b[1H\x1b[1mone \x1b[0mtwo\x1b[1H"
    assert output.render(frame, (10, 2)) == ""
    assert output.render("\x1b[1;1H\x1b[1mone\x1b[0m tWo\x1b[1;1H", (10, 2)) == "\x1b[6GW\x1b[1H"


def test_blanks_are_erased_where_the_terminal_erases_in_the_background_of_the_pen() -> None:
    frame = f"\x1b[1;1H\x1b[44ma{' ' * 20}b{' ' * 18}\x1b[0m\x1b[1;1H"
    outputs = [DiffedOutput(erases_in_background=erases) for erases in (False, True)]
    for output in outputs:
        output.render("\x1b[1;1H\x1b[41mx\x1b[0m\x1b[1;1H", (40, 1))
    spaces, erased = (output.render(frame, (40, 1)) for output in outputs)
    assert spaces == f"\x1b[44ma{' ' * 20}b{' ' * 18}\x1b[0m\x1b[1H"
    assert erased == "\x1b[44ma\x1b[20X\x1b[22Gb\x1b[K\x1b[0m\x1b[1H"


def test_a_first_whole_frame_is_painted_on_a_screen_erased_in_its_background() -> None:
    top = "\x1b[44m     \x1b[0m\x1b[31;44mab\x1b[0m\x1b[44m   \x1b[0m"
    frame = f"\x1b[1;1H{top}\n\x1b[2;1H\x1b[44m{' ' * 10}\x1b[0m\x1b[1;1H"
    assert DiffedOutput(erases_in_background=True).render(frame, (10, 2)) == (
        "\x1b[H\x1b[44m\x1b[J\x1b[6G\x1b[31mab\x1b[0m\x1b[1H"
    )
    part = DiffedOutput(erases_in_background=True).render(frame, (11, 2))
    assert "\x1b[J" not in part, "a cell that the frame leaves out may show something"


def test_a_space_takes_the_pen_of_the_text_behind_it() -> None:
    frame = "\x1b[1;1H\x1b[44m \x1b[0m\x1b[1;31;44mab\x1b[0m\x1b[42m \x1b[0m\x1b[31;42mc\x1b[0m\x1b[1;1H"
    assert DiffedOutput().render(frame, (5, 1)) == "\x1b[1H\x1b[1;31;44m ab\x1b[22;42m c\x1b[0m\x1b[1H"


def test_a_pen_that_many_places_show_is_taken_once() -> None:
    dim, key = "38;2;148;148;148", "38;2;149;202;228"
    rows = [f"\x1b[{y};1H\x1b[{dim}mvalue \x1b[0m\x1b[{key}mk\x1b[0m" for y in (1, 2, 3)]
    written = DiffedOutput().render("\n".join(rows) + "\x1b[1;1H", (7, 3))
    values = f"\x1b[1H\x1b[{dim}mvalue \x1b[2Hvalue \x1b[3Hvalue "
    assert written == f"{values}\x1b[1;7H\x1b[{key}mk\x1b[2;7Hk\x1b[3;7Hk\x1b[0m\x1b[1H"


def test_short_pens_are_written_in_the_order_of_reading() -> None:
    frame = "\x1b[1;1H\x1b[1ma\x1b[0mb\x1b[1mc\x1b[0m\x1b[1;1H"
    assert DiffedOutput().render(frame, (3, 1)) == "\x1b[1H\x1b[1ma\x1b[0mb\x1b[1mc\x1b[0m\x1b[1H"


def test_a_frame_with_a_character_terminals_disagree_on_keeps_the_order_of_reading() -> None:
    """What stands behind such a character is written after it, because it may cover the cell behind."""
    dim, key = "38;2;148;148;148", "38;2;149;202;228"
    frame = f"\x1b[1;1H\x1b[{key}ma👩‍👩‍👧\x1b[0m\x1b[{dim}mb\x1b[0m\x1b[{key}mc\x1b[0m\x1b[{dim}md\x1b[0m\x1b[1;1H"
    written = DiffedOutput().render(frame, (6, 1))
    assert [written.index(each) for each in ("a", "👩‍👩‍👧", "b", "c")] == sorted(
        written.index(each) for each in ("a", "👩‍👩‍👧", "b", "c")
    )
    assert written.count(key) == 2


def test_the_end_of_a_line_in_the_colours_of_the_terminal_is_erased_everywhere() -> None:
    frame = f"\x1b[1;1Ha{' ' * 20}b{' ' * 18}\x1b[1;1H"
    assert DiffedOutput().render(frame, (40, 1)) == f"\x1b[1Ha{' ' * 20}b\x1b[K\x1b[1H"


def test_a_blank_that_shows_a_line_is_written() -> None:
    frame = f"\x1b[1;1H\x1b[4;44m{' ' * 40}\x1b[0m\x1b[1;1H"
    assert f"{' ' * 40}" in DiffedOutput(erases_in_background=True).render(frame, (40, 1))


@pytest.mark.parametrize("how", ["forgotten", "resized"])
def test_a_dropped_shadow_writes_the_frame_whole(how: str) -> None:
    output = DiffedOutput()
    frame = "\x1b[1;1Hone\x1b[1;1H"
    whole = output.render(frame, (10, 2))
    if how == "forgotten":
        output.forget()
    assert output.render(frame, (10, 2) if how == "forgotten" else (11, 2)) == whole


@pytest.mark.parametrize(
    "frame",
    [
        "\x1b[1;1Hone",  # leaves the cursor behind the text
        "\x1b[1;1H\x1b[2Kone\x1b[1;1H",  # erases
        "\x1b[1;1H\x1b[1mone\x1b[1;1H",  # leaves the pen on
        "\x1b[1;1Ho\tne\x1b[1;1H",  # moves by itself
        "\x1b[1;1H\u200dne\x1b[1;1H",  # starts with a joiner
        "\x1b[1;9Hone\x1b[1;1H",  # runs over the edge
        "\x1b[9;1Hone\x1b[1;1H",  # is below the screen
        "one\x1b[1;1H",
        "",
    ],
)
def test_what_is_not_understood_passes_and_drops_the_shadow(frame: str) -> None:
    output = DiffedOutput()
    known = "\x1b[2;1Hkeep\x1b[1;1H"
    whole = output.render(known, (10, 2))
    assert output.render(frame, (10, 2)) == frame
    assert output.render(known, (10, 2)) == whole


def test_a_character_terminals_disagree_on_is_fenced_by_places() -> None:
    """Its cells are blanked first, and what follows is placed, so that a wrong width shifts nothing."""
    output = DiffedOutput()
    assert output.render("\x1b[1;1Ha👩‍👩‍👧b\x1b[1;1H", (10, 1)) == "\x1b[1Ha  \x1b[2G👩‍👩‍👧\x1b[1;4Hb\x1b[1H"
    assert output.render("\x1b[1;1Ha漢字b\x1b[1;1H", (10, 1)) == "a漢字b\x1b[1H"


def test_half_of_a_wide_character_is_blanked_by_us() -> None:
    """Terminals differ in what they leave of it."""
    output = DiffedOutput()
    output.render("\x1b[1;1Ha\x1b[1m漢\x1b[0m字b\x1b[1;1H", (10, 1))
    assert output.render("\x1b[1;3Hx\x1b[1;1H", (10, 1)) == "a\x1b[1m \x1b[0mx\x1b[1H"
    assert output.render("\x1b[1;4Hy\x1b[1;1H", (10, 1)) == "\x1b[4Gy \x1b[1H"
