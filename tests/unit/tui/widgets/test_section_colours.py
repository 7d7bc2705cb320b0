"""A change of colour alone is drawn: Textual takes contents with the same text for equal."""

import pytest
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from tests.unit.tui.widgets.bare_console import Stage
from tui.widgets.field import Field
from tui.widgets.link_list import LinkList
from tui.widgets.section import Section
from tui.widgets.tiles import Tile, Tiles


def show(widget: Widget, content: Content) -> None:
    match widget:
        case Section():
            widget.state = content
        case LinkList():
            widget.show_lines((content,))
        case Tiles():
            widget.tiles = (Tile("Left", content),)
        case Field():
            widget.note = content


def colour_of(app: Stage, word: str) -> object:
    """The colour in which a word is on the screen."""
    segments = [segment for strip in app.screen._compositor.render_strips() for segment in strip]
    return next(segment.style.color for segment in segments if word in segment.text and segment.style is not None)


@pytest.mark.parametrize(
    "widget",
    [Section("Cost"), LinkList(), Tiles(("Left",)), Field("Password", Input())],
    ids=lambda widget: type(widget).__name__,
)
async def test_a_change_of_colour_alone_is_drawn(widget: Widget) -> None:
    app = Stage(lambda: [widget])
    async with app.run_test(size=(60, 12)) as pilot:
        seen = []
        for colour in ("red", "green"):
            show(widget, Content.styled("words", colour))
            await pilot.pause()
            seen.append(colour_of(app, "words"))
        assert seen[0] != seen[1]
