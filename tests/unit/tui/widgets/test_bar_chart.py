"""The chart draws what the numbers say, at every width, and without Unicode too."""

import pytest

from store.money import show_usd
from tests.unit.tui.widgets.bare_console import stage_of
from tui.glyphs import PlainGlyphs
from tui.widgets.bar_chart import Bar, BarChart, axis_top, gathered

DAYS = tuple(Bar(f"11-{day:02}", day * 10_000) for day in range(1, 31))


async def chart(bars: tuple[Bar, ...], width: int, height: int = 8) -> list[str]:
    widget = BarChart(lambda value: show_usd(value, exact=True))
    app = stage_of(widget, height)
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


@pytest.mark.parametrize("days", [7, 30, 90])
@pytest.mark.parametrize("width", [76, 80, 96, 100])
async def test_the_bars_fill_the_width(days: int, width: int) -> None:
    bars = tuple(Bar(f"d{day:04}", 250_000) for day in range(days))
    lines = await chart(bars, width)
    drawn = lines[5].partition("│")[2].rstrip()
    assert drawn.startswith("█")
    assert len(lines[5].rstrip()) >= 0.85 * width
    gaps = {len(gap) for gap in drawn.split("█") if gap}
    assert max(gaps, default=0) - min(gaps, default=0) <= 1, "the gaps are even"
    assert lines[7].rstrip().endswith(bars[-1].label), "the range ends today"
    assert len(lines[6].rstrip()) == len(lines[5].rstrip()), "the axis ends where the last bar does"


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
