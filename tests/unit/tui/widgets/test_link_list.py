"""A list of links keeps its cursor."""

from textual.content import Content

from tests.unit.tui.widgets.bare_console import stage_of
from tui.widgets.link_list import LinkList


async def test_a_list_keeps_its_cursor_and_its_focus_while_its_lines_change() -> None:
    widget = LinkList()
    app = stage_of(widget, 6)
    async with app.run_test(size=(40, 10)) as pilot:
        widget.show_lines((Content("one"), Content("two"), Content("three")))
        widget.focus()
        await pilot.press("down", "j")
        assert widget.highlighted == 2
        widget.show_lines((Content("one"), Content("2"), Content("three")))
        await pilot.pause()
        assert (widget.highlighted, widget.has_focus) == (2, True)
        assert "2" in app.lines()[:3][1]
        widget.show_lines((Content("one"), Content("two")))
        await pilot.pause()
        assert (widget.highlighted, widget.has_focus) == (1, True)
