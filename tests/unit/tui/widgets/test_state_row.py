"""A row that draws its state: between label and buttons, cut where it does not fit, below the label when narrow."""

import pytest
from textual.content import Content
from textual.widgets import Button

from tests.unit.tui.widgets.bare_console import STYLES, Stage, running
from tui.widgets.action_button import ActionButton
from tui.widgets.field import LABEL_CELLS
from tui.widgets.state_row import StateRow


def stage(state: str = "● on") -> Stage:
    return Stage(
        lambda: [
            StateRow("Sessions", ActionButton("Show"), ActionButton("End", id="end"), state=Content(state)),
        ]
    )


def test_the_label_column_is_that_of_the_style_sheet() -> None:
    assert f"$label-column: {LABEL_CELLS};" in (STYLES / "forms.tcss").read_text()


async def test_the_state_is_beside_the_label_and_the_buttons_at_the_end() -> None:
    async with running(stage()) as (app, _):
        assert app.lines()[0] == "▌ Sessions".ljust(LABEL_CELLS) + "● on".ljust(40) + "Show   End"
        assert [button.region.right for button in app.query(Button)] == [74, 80]


@pytest.mark.parametrize(("is_shown", "cells"), [(True, 37), (False, 43)])
async def test_a_long_state_is_cut_before_the_first_button_that_is_shown(*, is_shown: bool, cells: int) -> None:
    async with running(stage("x" * 60)) as (app, pilot):
        row = app.query_one(StateRow)
        app.query_one("#end").display = is_shown
        row.state = Content("y" * 60)
        await pilot.pause()
        await pilot.pause()
        assert app.lines()[0].count("y") == cells
        assert "y… " in app.lines()[0]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("● gk_…MivP · 15 days old, never used at all", "● gk_…MivP · 15 days old, never used …"),
        ("● " + "x" * 24 + ", " + "y" * 30, "● " + "x" * 24 + "…"),
        ("● " + "x" * 22 + ", " + "y" * 30, "● " + "x" * 22 + ", " + "y" * 11 + "…"),
        ("● " + "x" * 40 + " · y", "● " + "x" * 35 + "…"),
    ],
)
async def test_what_does_not_fit_is_left_out_by_whole_parts(state: str, shown: str) -> None:
    async with running(stage(state)) as (app, pilot):
        await pilot.pause()
        assert app.lines()[0][LABEL_CELLS:].partition("  ")[0].rstrip() == shown


async def test_in_a_narrow_terminal_the_state_is_below_the_label() -> None:
    app = stage()
    async with running(app) as (_, pilot):
        app.screen.add_class("-slim")
        await pilot.pause()
        assert app.lines()[:2] == ["▌ Sessions", "▌ ● on".ljust(69) + "Show   End"]
        for button in app.query(Button):
            button.display = False
        await pilot.pause()
        assert app.query_one(StateRow).region.height == 2
