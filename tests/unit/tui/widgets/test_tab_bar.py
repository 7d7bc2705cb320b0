"""The tabs and the title bar at every width: no label is cut, and what matters stays."""

import pytest
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size

from screens.settings.page import HEADINGS, TABS
from screens.title_bar import TitleBar
from tests.harness.consoles import console
from tests.unit.tui.widgets.bare_console import Stage
from tui.widgets.tab_bar import TabBar

WIDTHS = range(58, 201)
DIRTY = (frozenset[str](), frozenset({"notifications"}), frozenset(tab.id for tab in TABS))


class Bars(Stage):
    def compose(self) -> ComposeResult:
        yield TabBar(TABS, active="security")


class Room:
    """The width that the bars believe to have."""

    width = 80

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for bar in (TabBar, TitleBar):
            monkeypatch.setattr(bar, "content_size", property(lambda _: Size(self.width, 2)))

    def drawn(self, bar: TabBar | TitleBar, width: int) -> Content:
        """What the bar draws in `width` cells."""
        self.width = width
        drawn = bar.render()
        assert isinstance(drawn, Content)
        return drawn


async def test_no_tab_is_cut_at_any_width(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Bars()
    async with app.run_test(size=(200, 24)):
        bar, room = app.query_one(TabBar), Room(monkeypatch)
        for active in TABS:
            for dirty in DIRTY:
                bar.set_reactive(TabBar.active, active.id)
                bar.set_reactive(TabBar.dirty, dirty)
                for width in WIDTHS:
                    labels, rule = room.drawn(bar, width).split("\n")
                    assert labels.cell_length <= width, (width, active.id, labels.plain)
                    assert rule.cell_length == width
                    assert active.label in labels.plain
                    if width >= 78:
                        assert all(tab.label in labels.plain for tab in TABS), (width, labels.plain)
                    else:
                        assert all(str(number) in labels.plain for number in range(1, 7))
                    assert labels.plain.count("•") == len(dirty)
                    heavy = rule.plain.index("━"), rule.plain.rindex("━") + 1
                    assert active.label in labels.plain[slice(*heavy)]


async def test_the_title_bar_keeps_the_page_and_the_balance_at_every_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with console(size=(200, 24), name="alexandria-the-great") as stage:
        bar, room = stage.app.screen.query_one(TitleBar), Room(monkeypatch)
        for heading in HEADINGS.values():
            bar.set_reactive(TitleBar.crumbs, ("Settings", *heading))
            for width in WIDTHS:
                line = room.drawn(bar, width)
                assert line.cell_length <= width, (width, line.plain)
                assert heading[-1] in line.plain
                assert "$5.00" in line.plain
                assert "▲ 2FA" in line.plain
                assert line.plain.endswith("/5")
