"""Sessions: where from, how and since when; one or all others are ended after a question."""

import pytest
from textual.widgets import Button

from store.store import Store
from tests.harness.console_steps import footer_keys
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.homes import Home
from tests.harness.stores import sign_in, store_with_account
from tui.widgets.confirm import Confirm
from tui.widgets.row_table import RowTable


def store_with_sessions(*sources: str) -> Store:
    store = store_with_account()
    for source in sources:
        store.sign_in.with_password("alice", PASSWORD, source=source)
        store.context.clock.advance(minutes=7)  # type: ignore[attr-defined] # the still clock of the tests
    return store


def open_sessions(store: Store) -> int:
    return len(store.sessions.list(sign_in(store))) - 1


def rows(stage: Stage) -> int:
    return stage.app.screen.query_one(RowTable).row_count


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_a_session_has_its_source_its_method_and_its_times(size: tuple[int, int]) -> None:
    async with console(store_with_sessions("ssh 192.0.2.7 pts/4"), size=size, press="s") as stage:
        assert stage.says("From How Started Last used")
        assert stage.says("password just now this session")
        assert stage.says("7 min ago 7 min ago")
        await stage.press("down")
        assert stage.says("ssh 192.0.2.7 pts/4, by password, since 2026-11-23 12:00 UTC.")


@pytest.mark.each_generation
async def test_a_session_is_ended_after_a_question(home: Home) -> None:
    async with home.another_session(), home.another_session(), home.console() as stage:
        await stage.press("s", "down", "e")
        assert isinstance(stage.app.screen, Confirm)
        assert stage.says("by password. It is out at its next action.")
        await stage.press("enter")
        assert rows(stage) == 3, "the safe button has the focus"
        await stage.press("e", "y")
        assert stage.says("The session was ended.")
        assert rows(stage) == 2


async def test_this_session_is_not_ended(home: Home) -> None:
    async with home.another_session(), home.console() as stage:
        await stage.press("s")
        assert stage.says("This is the session you are using.")
        assert "e End session" in footer_keys(stage, enabled=False)
        await stage.press("e")
        assert not isinstance(stage.app.screen, Confirm)
        await stage.press("down")
        assert "e End session" not in footer_keys(stage, enabled=False)
        assert not stage.says("This is the session you are using.")
        assert rows(stage) == 2


async def test_all_others_are_ended_after_a_question(home: Home) -> None:
    async with home.another_session(), home.another_session(), home.console() as stage:
        await stage.press("s", "o")
        assert isinstance(stage.app.screen, Confirm)
        await stage.press("y")
        assert stage.says("2 sessions ended.")
        assert stage.says("No other sessions.")
        assert rows(stage) == 1
        assert all(stage.app.screen.query_one(f"#{name}", Button).disabled for name in ("end", "end-others"))


async def test_without_others_it_says_so() -> None:
    async with console(press="s") as stage:
        assert stage.says("No other sessions.")
        assert "o End all others" in footer_keys(stage, enabled=False)
        await stage.press("o")
        assert not isinstance(stage.app.screen, Confirm)
