"""Tiles: figures in boxes or without, in the wording that fits."""

import pytest
from textual.content import Content

from tests.unit.tui.widgets.bare_console import stage_of
from tui.widgets.tiles import Tile, Tiles


async def test_tiles_stand_in_boxes_where_there_is_room() -> None:
    for height, has_boxes in ((3, False), (4, True)):
        widget = Tiles(("Left", "Errors"))
        app = stage_of(widget, height)
        async with app.run_test(size=(31, 10)) as pilot:
            widget.tiles = (
                Tile("Left", Content("$4.20"), ((Content("a note that is too long"), Content("short")),)),
                Tile("Errors", Content("14"), ((Content("0.4 %"),),)),
            )
            await pilot.pause()
            lines = app.lines()[:height]
        assert ("╭" in lines[0]) is has_boxes
        assert "Left" in lines[0]
        assert "$4.20" in lines[1]
        assert "short" in lines[2]
        assert "a note" not in lines[2]


@pytest.mark.parametrize("height", [3, 4])
async def test_unread_tiles_have_the_shape_of_those_that_were_read(height: int) -> None:
    widget = Tiles(("Left", "Errors"), notes=1)
    app = stage_of(widget, height)
    async with app.run_test(size=(31, 10)) as pilot:
        await pilot.pause()
        unread = app.lines()[0]
        widget.tiles = tuple(Tile(title, Content("14"), ((Content("0.4 %"),),)) for title in ("Left", "Errors"))
        await pilot.pause()
        assert app.lines()[0] == unread
