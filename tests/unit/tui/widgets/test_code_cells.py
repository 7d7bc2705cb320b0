"""Six cells take a code as people type and paste it, submit it once, and become a field for a backup code."""

from datetime import UTC, datetime, timedelta

import pytest
from textual.events import Paste
from textual.widget import Widget
from textual.widgets import Input

from tests.unit.tui.widgets.bare_console import Stage, running
from tui.widgets.code_cells import CodeCells, CodeTimeLeft


def cells(*, backup_codes: bool = False) -> list[Widget]:
    return [CodeCells(id="code", backup_codes=backup_codes)]


def submitted(app: Stage) -> list[str]:
    return [message.value for message in app.messages if isinstance(message, Input.Submitted)]


async def test_each_digit_has_a_cell_of_its_own() -> None:
    async with running(Stage(cells)) as (app, pilot):
        assert app.lines()[0] == " _   _   _    _   _   _"
        await pilot.press(*"4071")
        assert app.lines()[0] == " 4   0   7    1   _   _"
        await pilot.press("backspace")
        assert app.lines()[0] == " 4   0   7    _   _   _"


async def test_without_colours_a_cell_is_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(Stage(cells)) as (app, pilot):
        await pilot.press(*"407")
        assert app.lines()[0] == "[4] [0] [7]  [_] [_] [_]"


@pytest.mark.parametrize("backup_codes", [False, True])
@pytest.mark.parametrize("pasted", ["123456", "123 456", " 123-456\n"])
async def test_a_pasted_code_fills_the_cells_and_submits_itself(pasted: str, backup_codes: bool) -> None:
    async with running(Stage(lambda: cells(backup_codes=backup_codes))) as (app, pilot):
        app.query_one(CodeCells).post_message(Paste(pasted))
        await pilot.pause()
        assert app.query_one(CodeCells).code == "123456"
        assert app.lines()[0] == " 1   2   3    4   5   6"
        assert submitted(app) == ["123456"]


async def test_a_typed_code_is_submitted_once_with_its_last_digit() -> None:
    async with running(Stage(cells)) as (app, pilot):
        await pilot.press(*"12345")
        assert submitted(app) == []
        await pilot.press("6")
        assert submitted(app) == ["123456"]
        await pilot.press("7", "left")
        assert submitted(app) == ["123456"]
        assert app.query_one(CodeCells).value == "123456"


async def test_enter_on_an_incomplete_code_submits_nothing() -> None:
    """It would count as a wrong attempt; the habit of pressing Enter after the last digit must not cost one."""
    async with running(Stage(cells)) as (app, pilot):
        await pilot.press("enter", *"12345", "enter")
        assert submitted(app) == []
        await pilot.press("6")
        app.query_one(CodeCells).take()
        await pilot.press("enter")
        assert submitted(app) == ["123456"]


async def test_letters_are_refused_where_no_backup_code_is_taken() -> None:
    async with running(Stage(cells)) as (app, pilot):
        await pilot.press(*"12ab3")
        app.query_one(CodeCells).post_message(Paste("1234567890"))
        await pilot.pause()
        assert app.query_one(CodeCells).value == "123"
        assert submitted(app) == []


@pytest.mark.parametrize("typed", ["HE6M-1110-RDV1-EWZE", "1234-5678-9ABC-DEFG", "he6m 1110 rdv1 ewze"])
async def test_a_backup_code_turns_the_cells_into_a_field(typed: str) -> None:
    async with running(Stage(lambda: cells(backup_codes=True))) as (app, pilot):
        await pilot.press(*("space" if letter == " " else "minus" if letter == "-" else letter for letter in typed))
        assert app.lines()[0].strip() == typed
        assert submitted(app) == []
        await pilot.press("enter")
        assert submitted(app) == [typed]
        app.query_one(CodeCells).clear()
        await pilot.pause()
        assert app.lines()[0] == " _   _   _    _   _   _"


async def test_a_click_puts_the_cursor_on_its_cell() -> None:
    async with running(Stage(cells)) as (app, pilot):
        await pilot.press(*"12345")
        await pilot.click(CodeCells, offset=(5, 0))
        assert app.query_one(CodeCells).cursor_position == 1
        await pilot.press("delete")
        assert app.query_one(CodeCells).value == "1345"


async def test_the_time_left_follows_the_clock_only_while_it_can_be_seen() -> None:
    now = [datetime(2026, 11, 26, 12, 0, 13, tzinfo=UTC)]
    async with running(Stage(lambda: [CodeTimeLeft(lambda: now[0])])) as (app, pilot):
        left = app.query_one(CodeTimeLeft)
        await pilot.pause()
        assert app.lines()[0].strip() == "━━━━━━──── 17 s left"
        assert left.is_ticking
        now[0] += timedelta(seconds=16)
        left.read_clock()
        await pilot.pause()
        assert app.lines()[0].strip() == "━───────── 1 s left"
        left.display = False
        await pilot.pause()
        assert not left.is_ticking
        now[0] += timedelta(seconds=1)
        left.display = True
        await pilot.pause()
        assert left.is_ticking
        assert "30 s left" in app.lines()[0]
