"""Charts, bars and tiles: what they draw is what the numbers say, at every width, and without Unicode too."""

import pytest
from textual.content import Content
from textual.widget import Widget

from store.money import show_usd
from tests.unit.tui.widgets.bare_console import Stage
from tui.glyphs import PlainGlyphs
from tui.widgets.bar_chart import Bar, BarChart, axis_top, gathered
from tui.widgets.link_list import LinkList
from tui.widgets.share_bars import Share, ShareBars
from tui.widgets.tiles import Tile, Tiles

pytestmark = pytest.mark.anyio

DAYS = tuple(Bar(f"11-{day:02}", day * 10_000) for day in range(1, 31))


def shown(widget: Widget, height: int) -> Stage:
    """A stage for one widget of a fixed height."""
    widget.styles.height = height
    return Stage(lambda: (widget,))


async def chart(bars: tuple[Bar, ...], width: int, height: int = 8) -> list[str]:
    widget = BarChart(lambda value: show_usd(value, exact=True))
    app = shown(widget, height)
    async with app.run_test(size=(width, 24)) as pilot:
        widget.bars, widget.note = bars, ""
        await pilot.pause()
        return app.lines()[:height]


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 10), (1, 10), (11, 12), (180_000, 200_000), (297_000, 300_000), (300_001, 400_000), (99_000_000, 100_000_000)],
)
def test_the_axis_ends_at_a_round_amount(highest: int, top: int) -> None:
    assert axis_top(highest) == top


async def test_each_day_has_a_bar_of_its_height() -> None:
    lines = await chart(DAYS, 80)
    assert lines[0].startswith("$0.30 ┤")
    assert lines[3].startswith("$0.15 ┤")
    assert lines[6].startswith("$0.00 └┬")
    assert "11-01" in lines[7]
    assert lines[7].rstrip().endswith("11-30")
    lowest = lines[5].partition("│")[2]
    assert lowest.split() == ["▂", "▃", "▅", "▆", *["█"] * 26]
    assert lines[0].count("█") == 1, "the highest day reaches the end of the axis"


async def test_where_there_is_no_room_a_bar_stands_for_several_days() -> None:
    bars = tuple(Bar(f"d{day:02}", 10) for day in range(90))
    lines = await chart(bars, 60)
    assert "2 days a bar" in lines[7]
    groups, of = gathered(bars, 48)
    assert (len(groups), of) == (45, 2)
    assert {group.value for group in groups} == {20}
    uneven, of = gathered(bars[:7], 3)
    assert ([group.value for group in uneven], of) == ([10, 30, 30], 3), "the newest bar is whole"
    assert sum(group.value for group in gathered(bars, 7)[0]) == 900


@pytest.mark.parametrize("width", [1, 5, 9, 14, 20, 40, 200])
async def test_any_width_is_drawn(width: int) -> None:
    for bars in (DAYS, DAYS[:1], tuple(Bar("11-01", 0) for _ in range(7))):
        lines = await chart(bars, width)
        assert all(len(line) <= width for line in lines)


async def test_a_day_that_cost_next_to_nothing_is_seen() -> None:
    lines = await chart((Bar("11-01", 1), Bar("11-02", 0), Bar("11-03", 10**9)), 40)
    assert "▁" in lines[5]


async def test_without_unicode_it_can_be_read() -> None:
    plain = PlainGlyphs("ascii")
    lines = [plain.plain(line) for line in await chart(DAYS, 80)]
    assert "?" not in "".join(lines)
    assert "#" in lines[0]
    assert lines[6].startswith("$0.00 ++")


async def test_shares_end_where_the_largest_ends() -> None:
    widget = ShareBars()
    app = shown(widget, 4)
    async with app.run_test(size=(60, 10)) as pilot:
        assert app.lines()[:1] == ["…"]
        widget.shares = (
            Share("claude", 1000, "$1.00"),
            Share("a very long name of a model that is cut somewhere", 500, "$0.50"),
            Share("free", 0, "$0.00"),
            Share("5 other models", 1, "<$0.01", is_rest=True),
        )
        widget.note = ""
        await pilot.pause()
        first, second, third, fourth = app.lines()[:4]
        assert first.count("█") == 2 * second.count("█") > 8
        assert (third.count("█"), fourth.count("█")) == (0, 1)
        assert "…" in second
        assert {len(line) for line in (first, second, third, fourth)} == {len(first)}


async def test_tiles_stand_in_boxes_where_there_is_room() -> None:
    for height, has_boxes in ((3, False), (4, True)):
        widget = Tiles(("Left", "Errors"))
        app = shown(widget, height)
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


async def test_a_list_keeps_its_cursor_and_its_focus_while_its_lines_change() -> None:
    widget = LinkList()
    app = shown(widget, 6)
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
