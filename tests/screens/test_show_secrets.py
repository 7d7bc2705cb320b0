"""A key shows the passwords that are being typed, and they hide again by themselves."""

import pytest
from textual.widgets import Input

from screens.lock import LockScreen
from tests.harness.consoles import Stage, console
from tui.widgets.auto_hide import AutoHide


def readable(stage: Stage, control: str) -> bool:
    return not stage.app.screen.query_one(f"#{control}", Input).password


async def test_the_key_shows_every_password_of_the_form_and_hides_it_again() -> None:
    async with console(press="p") as stage:
        await stage.fill("original-password", "first secret")
        await stage.fill("new-password", "second secret")
        assert not stage.says("second secret")
        await stage.press("ctrl+v")
        assert stage.says("first secret")
        assert stage.says("second secret")
        assert stage.says("Hide ^v")
        await stage.press("ctrl+v")
        assert not stage.says("second secret")
        assert stage.says("Show ^v")


async def test_the_button_does_the_same() -> None:
    async with console(press="p") as stage:
        await stage.fill("new-password", "second secret")
        await stage.click("#show")
        assert stage.says("second secret")


async def test_a_shown_password_cannot_be_copied() -> None:
    async with console(press="p") as stage:
        await stage.fill("original-password", "first secret")
        await stage.press("ctrl+v")
        stage.app.screen.query_one("#original-password", Input).select_all()
        await stage.press("ctrl+c")
        assert stage.app.clipboard == ""


async def test_it_works_at_the_sign_in_from_the_field_of_the_name_too() -> None:
    async with console(signed_in=False) as stage:
        await stage.fill("password", "typed secret")
        assert stage.app.focused is stage.app.screen.query_one("#username")
        await stage.press("ctrl+v")
        assert stage.says("typed secret")


async def test_the_lock_has_the_key_and_hides_what_is_shown_below_it() -> None:
    async with console(press="p") as stage:
        await stage.fill("new-password", "second secret")
        await stage.press("ctrl+v")
        form = stage.app.screen
        await stage.press("ctrl+l")
        assert isinstance(stage.app.screen, LockScreen)
        assert form.query_one("#new-password", Input).password
        await stage.fill("password", "lock secret")
        await stage.press("ctrl+v")
        assert stage.says("lock secret")


async def test_it_hides_when_the_terminal_loses_the_focus(stage: Stage) -> None:
    await stage.press("p", "ctrl+v")
    assert readable(stage, "new-password")
    stage.app.app_focus = False
    await stage.pilot.pause()
    assert not readable(stage, "new-password")


async def test_it_hides_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AutoHide, "SHOWN_FOR_S", 0.01)
    async with console(press="p") as stage:
        await stage.pilot.press("ctrl+v")
        await stage.until(lambda: not readable(stage, "new-password"))
        assert stage.says("Show ^v")
