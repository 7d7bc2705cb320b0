"""Nothing gets past a locked console: not an answer that comes late, not a dialog of an action under way."""

import asyncio
from typing import Any

import pytest
from textual.widgets import Input

from screens.account_modal import AccountModal
from screens.console import Console
from screens.lock import LockScreen
from screens.settings.access_token import AccessToken
from screens.settings.two_factor_setup import TwoFactorSetup
from screens.sign_in import SignIn
from tests.harness.consoles import Stage
from tests.harness.homes import Home
from tui.widgets.confirm import Confirm
from tui.widgets.toggle import Toggle


class Waiting(AccountModal[str]):
    """A dialog that somebody answers from elsewhere, as a browser or a provider does."""


async def unlock(home: Home, stage: Stage) -> None:
    assert isinstance(stage.app.screen, LockScreen)
    await stage.enter("password", home.password)


@pytest.mark.each_generation
async def test_an_answer_from_elsewhere_does_not_open_the_lock(home: Home) -> None:
    async with home.console() as stage:
        answers: list[str | None] = []
        dialog = Waiting()
        await stage.app.push_screen(dialog, answers.append)
        await stage.press("ctrl+l")
        dialog.dismiss("approved by somebody")
        await stage.pilot.pause()
        assert isinstance(stage.app.screen, LockScreen)
        assert stage.app.is_locked
        assert answers == []
        await unlock(home, stage)
        await stage.until(lambda: isinstance(stage.app.screen, Console))
        assert answers == ["approved by somebody"]


def held_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Token generation that takes until the event is set."""
    go = asyncio.Event()
    generate = stage.app.account.generate_access_token

    async def slowly() -> Any:
        made = await generate()
        await go.wait()
        return made

    monkeypatch.setattr(stage.app.account, "generate_access_token", slowly)
    return go


async def lock_while_generating(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Lock the console while a token is made, which is there once the event is set."""
    go = held_back(stage, monkeypatch)
    await stage.press("t")
    await stage.pilot.press("y")
    await stage.pilot.press("ctrl+l")
    await stage.until(lambda: stage.app.is_locked)
    return go


async def test_a_secret_made_meanwhile_is_shown_when_it_is_unlocked(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home.console() as stage:
        go = await lock_while_generating(stage, monkeypatch)
        go.set()
        for _ in range(5):
            await stage.pilot.pause()
        assert isinstance(stage.app.screen, LockScreen)
        stage.app.screen.query_one("#password", Input).value = home.password
        await stage.pilot.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, AccessToken))
        assert not stage.app.is_locked


async def test_a_secret_made_meanwhile_is_not_shown_to_whoever_leaves(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home.console() as stage:
        go = await lock_while_generating(stage, monkeypatch)
        await stage.pilot.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, SignIn))
        go.set()
        for _ in range(5):
            await stage.pilot.pause()
        assert isinstance(stage.app.screen, SignIn)


async def edit_and_lock(stage: Stage) -> None:
    """Leave a switch unsaved behind the lock."""
    await stage.press("4")
    stage.app.screen.query_one("#accept-unpriced-models", Toggle).focus()
    await stage.press("space", "ctrl+l")
    assert isinstance(stage.app.screen, LockScreen)


@pytest.mark.parametrize("key", ["escape", "ctrl+q"])
async def test_leaving_from_the_lock_asks_for_unsaved_edits_and_tells_nothing_of_them(home: Home, key: str) -> None:
    async with home.console() as stage:
        await edit_and_lock(stage)
        await stage.press(key)
        assert isinstance(stage.app.screen, Confirm)
        assert stage.says("Something is not saved yet")
        assert "Price" not in stage.text()
        assert "[ Save" not in stage.text()
        await stage.press("enter")
        await unlock(home, stage)
        assert isinstance(stage.app.screen, Console)
        assert stage.app.screen.query_one("#accept-unpriced-models", Toggle).value
        assert stage.app.is_running


async def test_whoever_says_so_signs_out_from_the_lock_and_discards(home: Home) -> None:
    async with home.console() as stage:
        await edit_and_lock(stage)
        await stage.click("#sign-out")
        await stage.press("y")
        assert isinstance(stage.app.screen, SignIn)
        assert stage.says("You signed out.")


async def test_quitting_from_the_lock_asks_once(stage: Stage) -> None:
    await edit_and_lock(stage)
    await stage.press("ctrl+q")
    await stage.pilot.press("y")
    await stage.until(lambda: not stage.app.is_running)


@pytest.mark.parametrize("keys", [("t", "y"), ("f", "enter")])
async def test_the_lock_asks_for_a_secret_that_nobody_has_and_a_setup_half_done(
    keys: tuple[str, ...], stage: Stage
) -> None:
    await stage.press(*keys)
    assert isinstance(stage.app.screen, AccessToken | TwoFactorSetup)
    await stage.press("ctrl+l", "escape")
    assert stage.says("Something is not saved yet")


async def test_the_lock_asks_nothing_where_nothing_is_lost(home: Home) -> None:
    async with home.console() as stage:
        await stage.press("ctrl+l", "escape")
        assert isinstance(stage.app.screen, SignIn)


async def test_back_from_the_shell_after_the_idle_time_the_console_is_locked(stage: Stage) -> None:
    stage.app.app_resume_signal.publish(stage.app)
    await stage.settle()
    assert not stage.app.is_locked
    stage.app._last_input -= stage.app.config.idle_lock_minutes * 60
    stage.app.app_resume_signal.publish(stage.app)
    await stage.settle()
    assert stage.app.is_locked
