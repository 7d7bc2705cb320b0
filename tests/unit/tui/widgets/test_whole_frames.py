"""A screen is styled and arranged once, what it shows first is one frame, and so is a move of the focus."""

from collections.abc import Iterable
from typing import Any

import pytest
from textual._compositor import Compositor, ReflowResult
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Label

from tui.widgets.whole_frames import WholeFrames


class Form(WholeFrames, Screen[None]):
    """Three fields. It counts how often it is arranged."""

    AUTO_FOCUS = ""
    arranged = 0

    def compose(self) -> ComposeResult:
        for number in range(3):
            yield Label(f"Field {number}")
            yield Input(select_on_focus=False)

    def _screen_resized(self, size: Size) -> None:
        self.arranged += 1
        super()._screen_resized(size)


class Frames(App[None]):
    """It remembers the kinds of its frames."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[str] = []

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None and not self._batch_count:
            self.frames.append(type(renderable).__name__)
        super()._display(screen, renderable)


async def test_a_screen_that_is_shown_is_painted_once_as_a_whole() -> None:
    app = Frames()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.frames.clear()
        await app.push_screen(Form())
        while not app.frames:
            await pilot.pause()
        await pilot.pause()
        assert app.frames == ["LayoutUpdate"]


async def test_a_screen_that_is_shown_is_arranged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual arranges it when it is resumed, and again because its widgets were given their sizes."""
    arranged: list[Size] = []
    stock = Compositor.reflow

    def reflow(compositor: Compositor, parent: Widget, size: Size) -> ReflowResult:
        if isinstance(parent, Form):
            arranged.append(size)
        return stock(compositor, parent, size)

    monkeypatch.setattr(Compositor, "reflow", reflow)
    app = Frames()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.frames.clear()
        await app.push_screen(Form())
        while not app.frames:
            await pilot.pause()
        await pilot.pause()
        assert arranged == [Size(80, 24)]
        assert [field.region.y for field in app.screen.query(Input)] == [1, 5, 9]
    assert Widget.virtual_size._layout, "the sizes that change later arrange the screen again"


async def test_the_first_frame_shows_what_has_the_focus() -> None:
    class Long(Form):
        AUTO_FOCUS = "#last"

        def compose(self) -> ComposeResult:
            with VerticalScroll(can_focus=False):
                for number in range(40):
                    yield Label(f"Line {number}")
                yield Input(id="last")

    app = Frames()
    async with app.run_test(size=(80, 24)) as pilot:
        app.frames.clear()
        await app.push_screen(Long())
        while not app.frames:
            await pilot.pause()
        assert app.screen.can_view_entire(app.screen.query_one("#last"))


async def test_a_move_of_the_focus_paints_what_shows_it_and_not_the_screen() -> None:
    app = Frames()
    form = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(form)
        await pilot.pause()
        first, second, _ = form.query(Input)
        first.cursor_blink = second.cursor_blink = False
        first.focus()
        await pilot.pause()
        app.frames.clear()
        second.focus()
        while not app.frames:
            await pilot.pause()
        await pilot.pause()
        assert app.frames == ["ChopsUpdate"]


async def test_a_screen_that_is_shown_again_is_styled_again() -> None:
    """The theme may have changed meanwhile; a screen that is shown first has just been styled."""
    app = Frames()
    form = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        styled: list[str] = []
        stock = app.stylesheet.update_nodes

        def update_nodes(nodes: Iterable[DOMNode], animate: bool = False) -> None:
            those = list(nodes)
            styled.extend(type(node).__name__ for node in those)
            stock(those, animate=animate)

        app.stylesheet.update_nodes = update_nodes  # type: ignore[method-assign]
        await app.push_screen(form)
        await pilot.pause()
        assert "Input" not in styled
        await app.push_screen(Screen[None]())
        await app.pop_screen()
        await pilot.pause()
        assert styled.count("Input") == 3


async def test_a_size_that_is_reported_twice_arranges_the_screen_once() -> None:
    app = Frames()
    form = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(form)
        await pilot.pause()
        form.arranged = 0
        for _ in range(2):
            form.post_message(Resize(Size(80, 24), Size(80, 24)))
        await pilot.pause()
        assert form.arranged == 0
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert form.arranged == 1
        assert form.size == Size(100, 30)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert form.size == Size(80, 24)
