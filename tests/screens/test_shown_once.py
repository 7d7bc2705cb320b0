"""Secrets that are given out once: no key loses them without a question, and nothing shows them behind another."""

import pytest
from textual.widgets import Button

from screens.settings.access_token import AccessToken, ApiKey, ShownOnce
from screens.settings.backup_codes import BackupCodeList
from screens.settings.two_factor_manage import NewBackupCodes
from screens.settings.two_factor_setup import TwoFactorSetup
from tests.harness.console_steps import enrol, open_module
from tests.harness.consoles import Stage, console


async def new_token(stage: Stage) -> ShownOnce:
    await stage.press("t", "y")
    assert isinstance(stage.app.screen, AccessToken)
    return stage.app.screen


async def new_codes(stage: Stage) -> NewBackupCodes:
    await enrol(stage)
    await stage.press("f", "n", "y")
    assert isinstance(stage.app.screen, NewBackupCodes)
    return stage.app.screen


@pytest.mark.parametrize("key", ["escape", "ctrl+q"])
async def test_no_key_loses_a_token_nobody_saw(key: str, stage: Stage) -> None:
    token = await new_token(stage)
    await stage.press(key)
    assert stage.says("Close without keeping it?")
    await stage.press("enter")
    assert stage.app.screen is token
    assert stage.app.is_running


async def test_every_way_on_is_shown_on_a_small_terminal() -> None:
    async with console(size=(60, 20)) as stage:
        await new_token(stage)
        for button in ("Reveal space", "Copy c", "Save as file w", "Close esc"):
            assert stage.says(button), stage.text()


async def test_a_token_that_was_seen_does_not_hold_anybody_back(stage: Stage) -> None:
    await new_token(stage)
    await stage.press("space")
    await stage.pilot.press("ctrl+q")
    await stage.until(lambda: not stage.app.is_running)


async def test_a_token_may_be_left_behind_knowingly(stage: Stage) -> None:
    await new_token(stage)
    await stage.press("ctrl+q")
    await stage.pilot.press("y")
    await stage.until(lambda: not stage.app.is_running)


async def test_a_new_api_key_is_asked_about_too(stage: Stage) -> None:
    await open_module(stage, "api-keys")
    await stage.press("n")
    await stage.enter("api-key-name", "laptop")
    assert isinstance(stage.app.screen, ApiKey)
    await stage.press("ctrl+q")
    assert stage.says("Close without keeping it?")


@pytest.mark.parametrize("key", ["escape", "ctrl+q"])
async def test_a_reflex_does_not_lose_new_backup_codes(key: str, stage: Stage) -> None:
    """They are shown when the dialog opens, and nobody had the time to read ten codes."""
    dialog = await new_codes(stage)
    await stage.press(key)
    assert stage.says("Close without keeping them?")
    await stage.press("enter")
    assert stage.app.screen is dialog
    await stage.press("escape", "y")
    assert dialog not in stage.app.screen_stack


@pytest.mark.parametrize("taken", ["copied", "revealed", "said to be stored"])
async def test_backup_codes_that_were_taken_are_closed_at_once(taken: str, stage: Stage) -> None:
    dialog = await new_codes(stage)
    match taken:
        case "copied":
            await stage.click("#copy-codes")
            await stage.press("escape")
        case "revealed":
            hidden_and_shown = dialog.query_one("#reveal-codes", Button)
            hidden_and_shown.press()
            await stage.settle()
            hidden_and_shown.press()
            await stage.settle()
            await stage.press("escape")
        case _:
            await stage.click("#stored")
    assert dialog not in stage.app.screen_stack


@pytest.mark.parametrize("key", ["escape", "ctrl+q", "f1", "ctrl+l"])
async def test_backup_codes_cannot_be_read_behind_anything(key: str, stage: Stage) -> None:
    await stage.press("f", "enter")
    wizard = stage.app.screen
    assert isinstance(wizard, TwoFactorSetup)
    first = wizard.query_one(BackupCodeList)._codes[0]
    assert first in stage.text()
    await stage.press(key)
    assert stage.app.screen is not wizard
    assert first not in stage.text()
    assert not wizard.query_one(BackupCodeList).is_revealed
