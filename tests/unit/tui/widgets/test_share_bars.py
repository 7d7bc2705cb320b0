"""Bars by name: they end where the largest ends."""

from tests.unit.tui.widgets.bare_console import stage_of
from tui.widgets.share_bars import Share, ShareBars


async def test_shares_end_where_the_largest_ends() -> None:
    widget = ShareBars()
    app = stage_of(widget, 4)
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
