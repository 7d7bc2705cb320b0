"""The first run shows Create account at once, and loses nothing that was typed meanwhile."""

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from screens.app import GatekeyApp
from screens.create_account import CreateAccount
from screens.sign_in import SignIn
from tests.harness.consoles import Stage, console
from tests.harness.stores import make_store, still_clock
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options


def waiting_account(
    monkeypatch: pytest.MonkeyPatch, options: Options, *, is_first_run: bool
) -> tuple[LocalAccount, asyncio.Event]:
    """An account whose data opens when the event is set."""
    account, go, store = LocalAccount(options), asyncio.Event(), make_store()

    async def open_later() -> bool:
        await go.wait()
        account._opened = store
        account._was_opened.set()
        return is_first_run

    monkeypatch.setattr(account, "open", open_later)
    return account, go


async def shown(app: GatekeyApp, pilot: Pilot[None], screen: type[Screen[None]]) -> None:
    store = make_store()
    clock = still_clock(store)
    await Stage(app, pilot, store, clock).until(lambda: isinstance(app.screen, screen) and app.screen.query(Input))


async def test_without_a_database_the_first_screen_is_create_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(database=str(tmp_path / "new.sqlite3"))
    account, go = waiting_account(monkeypatch, options, is_first_run=True)
    app = GatekeyApp(account, ConsoleConfig())
    async with app.run_test() as pilot:
        assert isinstance(app.screen, CreateAccount)
        await pilot.press(*"bob")
        go.set()
        await app.workers.wait_for_complete()
        await pilot.press(*"by")
        assert isinstance(app.screen, CreateAccount)
        assert app.screen.query_one("#username", Input).value == "bobby"


async def test_a_database_that_turns_out_empty_keeps_what_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there.sqlite3").touch()
    options = Options(database=str(tmp_path / "there.sqlite3"))
    account, go = waiting_account(monkeypatch, options, is_first_run=True)
    app = GatekeyApp(account, ConsoleConfig())
    async with app.run_test() as pilot:
        assert isinstance(app.screen, SignIn)
        await pilot.press(*"bob", "tab", *"secret")
        go.set()
        await shown(app, pilot, CreateAccount)
        await pilot.pause()
        assert app.screen.query_one("#username", Input).value == "bob"
        assert app.screen.query_one("#password", Input).value == "secret"


async def test_an_account_that_somebody_else_made_meanwhile_leads_to_the_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(database=str(tmp_path / "new.sqlite3"))
    account, go = waiting_account(monkeypatch, options, is_first_run=False)
    app = GatekeyApp(account, ConsoleConfig())
    async with app.run_test() as pilot:
        assert isinstance(app.screen, CreateAccount)
        await pilot.pause()
        go.set()
        await shown(app, pilot, SignIn)


async def test_enter_does_not_pass_over_the_address_that_may_stay_empty() -> None:
    async with console(make_store(), signed_in=False) as stage:
        await stage.type("bob")
        await stage.press("enter")
        assert stage.app.focused is stage.app.screen.query_one("#email")
        await stage.press("enter")
        assert stage.app.focused is stage.app.screen.query_one("#password")
        assert stage.says("Enter the password you want.")
