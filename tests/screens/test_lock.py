"""Nothing gets past a locked console: not an answer that comes late, not a dialog of an action under way."""

import asyncio
from typing import Any

import pytest
from textual.widgets import Input

from screens.account_modal import AccountModal
from screens.console import Console
from screens.lock import LockScreen
from screens.settings.access_token import AccessToken
from screens.sign_in import SignIn
from tests.consoles import PASSWORD, Stage, console

pytestmark = pytest.mark.anyio


class Waiting(AccountModal[str]):
    """A dialog that somebody answers from elsewhere, as a browser or a provider does."""


async def unlock(stage: Stage) -> None:
    assert isinstance(stage.app.screen, LockScreen)
    await stage.fill("password", PASSWORD)
    await stage.press("enter")


async def test_an_answer_from_elsewhere_does_not_open_the_lock() -> None:
    async with console() as stage:
        answers: list[str | None] = []
        dialog = Waiting()
        await stage.app.push_screen(dialog, answers.append)
        await stage.press("ctrl+l")
        dialog.dismiss("approved by somebody")
        await stage.pilot.pause()
        assert isinstance(stage.app.screen, LockScreen)
        assert stage.app.is_locked
        assert answers == []
        await unlock(stage)
        await stage.until(lambda: isinstance(stage.app.screen, Console))
        assert answers == ["approved by somebody"]


def held_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Token generation that takes until the event is set."""
    go = asyncio.Event()
    generate = stage.app.account.generate_token

    async def slowly() -> Any:
        made = await generate()
        await go.wait()
        return made

    monkeypatch.setattr(stage.app.account, "generate_token", slowly)
    return go


async def test_a_secret_made_meanwhile_is_shown_when_it_is_unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console() as stage:
        go = held_back(stage, monkeypatch)
        await stage.press("t")
        await stage.pilot.press("y")
        await stage.pilot.press("ctrl+l")
        await stage.until(lambda: stage.app.is_locked)
        go.set()
        for _ in range(5):
            await stage.pilot.pause()
        assert isinstance(stage.app.screen, LockScreen)
        stage.app.screen.query_one("#password", Input).value = PASSWORD
        await stage.pilot.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, AccessToken))
        assert not stage.app.is_locked


async def test_a_secret_made_meanwhile_is_not_shown_to_whoever_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    async with console() as stage:
        go = held_back(stage, monkeypatch)
        await stage.press("t")
        await stage.pilot.press("y")
        await stage.pilot.press("ctrl+l")
        await stage.until(lambda: stage.app.is_locked)
        await stage.pilot.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, SignIn))
        go.set()
        for _ in range(5):
            await stage.pilot.pause()
        assert isinstance(stage.app.screen, SignIn)
