"""Activity: every event in words, failures marked, a filter line, and more at the end."""

import pytest
from textual.widgets import Input

from screens.console import Console
from screens.settings.activity import Activity
from store.audit_tags import Tag
from store.errors import WrongCredentials
from store.store import Store
from tests.harness.consoles import Stage, console
from tests.harness.stores import add_account, make_store, sign_in, store_with_account
from tui.widgets.row_table import RowTable


def eventful_store() -> Store:
    store = store_with_account()
    with pytest.raises(WrongCredentials):
        store.sign_in.with_password("alice", "wrong", source="ssh 192.0.2.7 pts/4")
    store.context.clock.advance(days=1)  # type: ignore[attr-defined] # the still clock of the tests
    store.access_token.generate(sign_in(store))
    return store


def crowded_store(events: int) -> Store:
    store = make_store()
    account = add_account(store)
    with store.database.write() as tx:
        for number in range(events):
            store.audit.record(tx, account.id, Tag.PASSKEY_RENAMED, actor="alice", source="pts/0", label=str(number))
    return store


def table(stage: Stage) -> RowTable:
    return stage.app.screen.query_one(RowTable)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_events_are_told_in_words_and_failures_are_marked(size: tuple[int, int]) -> None:
    async with console(eventful_store(), size=size, press="a") as stage:
        assert isinstance(stage.app.screen, Activity)
        assert stage.says("✗ Failed sign-in")
        assert stage.says("Access token generated")
        assert "sign-in:failed" not in stage.text()
        assert stage.says("Time What happened")
        assert stage.says("From") == (size[0] >= 80)


async def test_the_event_under_the_cursor_is_told_in_full() -> None:
    async with console(eventful_store()) as stage:
        await stage.press("a", "slash", *"failed", "enter")
        assert stage.says("UTC: Failed sign-in, wrong password, from ssh 192.0.2.7 pts/4")


async def test_the_filter_line_takes_words_dates_and_sources() -> None:
    async with console(eventful_store(), press="a") as stage:
        everything = table(stage).row_count
        await stage.press("slash")
        assert isinstance(stage.app.focused, Input)
        for text, rows in (
            ("failed", 1),
            ("token", 1),
            ("192.0.2.7", 1),
            ("2026-11-23", 2),
            ("failed 2026-11-24", 0),
            ("", everything),
        ):
            await stage.fill("filter", text)
            assert table(stage).row_count == rows, text
        await stage.fill("filter", "nothing-like-this")
        assert stage.says("Nothing matches.")


async def test_escape_leaves_the_filter_line_and_then_closes() -> None:
    async with console(eventful_store()) as stage:
        await stage.press("a", "slash", "x", "escape")
        assert isinstance(stage.app.screen, Activity)
        assert stage.app.focused is table(stage)
        await stage.press("escape")
        assert isinstance(stage.app.screen, Console)


async def test_more_is_loaded_at_the_end_also_of_what_was_filtered() -> None:
    async with console(crowded_store(120), press="a") as stage:
        assert table(stage).row_count == 50
        assert stage.says("50 events, more below")
        await stage.press("G")
        assert table(stage).row_count == 100
        await stage.press("slash", *"renamed", "enter")
        assert table(stage).row_count == 50
        await stage.press("G", "G", "G")
        assert table(stage).row_count == 120
        assert stage.says("120 events")


async def test_another_size_keeps_the_events_and_the_cursor() -> None:
    async with console(eventful_store()) as stage:
        await stage.press("a", "down")
        rows = table(stage).row_count
        await stage.pilot.resize_terminal(60, 20)
        await stage.settle()
        assert (table(stage).row_count, table(stage).cursor_row) == (rows, 1)
        assert len(table(stage).columns) == 2
