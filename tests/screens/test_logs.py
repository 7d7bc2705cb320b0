"""The keys of a log: each goes where it says, and the log grows at its end."""

import pytest

from screens.console import Console
from store.store import Store
from store.values.usage import Kind, UsageEntry
from tests.harness.consoles import Stage, console
from tests.harness.stores import add_account, make_store
from tui.widgets.row_table import RowTable

pytestmark = pytest.mark.anyio


def logged(calls: int) -> Store:
    store = make_store()
    account = add_account(store)
    with store.database.write() as tx:
        for number in range(calls):
            store.usage.append(tx, account.id, UsageEntry(kind=Kind.CONSUMPTION, model=f"model-{number}"))
    return store


async def open_log(stage: Stage) -> RowTable:
    screen = stage.app.screen
    assert isinstance(screen, Console)
    screen.action_open_module("usage-logs")
    await stage.settle()
    table = screen.query_one("#usage-logs-page RowTable", RowTable)
    assert table.has_focus
    return table


async def test_home_end_and_the_page_keys() -> None:
    async with console(logged(300)) as stage:
        table = await open_log(stage)
        first_page = table.row_count
        assert 20 < first_page < 300
        await stage.press("end")
        assert table.cursor_row == first_page - 1
        assert table.row_count > first_page, "more is read once its end is reached"
        await stage.press("home")
        assert table.cursor_row == 0
        await stage.press("pagedown")
        page = table.cursor_row
        assert 10 < page < 24
        await stage.press("pagedown")
        assert table.cursor_row > page
        await stage.press("pageup", "pageup")
        assert table.cursor_row == 0
        await stage.press("j", "down", "k")
        assert table.cursor_row == 1
        await stage.press("G")
        assert table.cursor_row > first_page
        await stage.press("g")
        assert table.cursor_row == 0


async def test_end_reaches_the_oldest_call() -> None:
    async with console(logged(130)) as stage:
        table = await open_log(stage)
        for _ in range(5):
            await stage.press("end")
        assert (table.row_count, table.cursor_row) == (130, 129)
        assert stage.says("model-0")


async def test_end_in_an_empty_log_does_nothing() -> None:
    async with console(logged(0)) as stage:
        await open_log(stage)
        await stage.press("end", "home")
        assert stage.says("No call has been made yet.")
