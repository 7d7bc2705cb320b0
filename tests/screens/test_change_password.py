"""Change Password: what is said while one types, and after it."""

import pytest

from screens.settings.change_password import ChangePassword
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.homes import Home

NEW = "entirely different words"


async def fill(stage: Stage, original: str, new: str, confirmation: str) -> None:
    await stage.press("p")
    for control, text in (("original-password", original), ("new-password", new), ("confirmation", confirmation)):
        await stage.fill(control, text)


async def test_it_says_live_whether_the_two_match(home: Home) -> None:
    async with home.console() as stage:
        await fill(stage, home.password, home.new_password, "")
        assert not stage.says("match")
        await stage.fill("confirmation", home.new_password[:5])
        assert stage.says("○ does not match yet")
        await stage.fill("confirmation", home.new_password)
        assert stage.says("✓ matches")
        await stage.fill("new-password", home.new_password + "!")
        assert stage.says("○ does not match yet")


@pytest.mark.each_generation
async def test_enter_changes_it_from_any_field_and_a_toast_says_so(home: Home) -> None:
    async with home.another_session(), home.another_session(), home.console() as stage:
        await fill(stage, home.password, home.new_password, home.new_password)
        assert stage.says("Takes effect immediately. Your 2 other sessions are signed out.")
        stage.app.screen.query_one("#original-password").focus()
        await stage.press("enter")
        assert not isinstance(stage.app.screen, ChangePassword)
        assert stage.says("Password changed. 2 other sessions were signed out.")


async def test_enter_says_which_field_is_still_empty_and_goes_there(stage: Stage) -> None:
    await fill(stage, PASSWORD, "", "")
    stage.app.screen.query_one("#original-password").focus()
    await stage.press("enter")
    assert stage.says("Enter the password you want.")
    assert stage.app.focused is stage.app.screen.query_one("#new-password")
    assert not stage.says("Enter the new password once more.")


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_an_error_of_one_line_moves_nothing(size: tuple[int, int]) -> None:
    async with console(size=size) as stage:
        await fill(stage, "", NEW, NEW)
        before = stage.app.screen.query_one("#change").region
        stage.app.screen.query_one("#new-password").focus()
        await stage.press("enter")
        assert stage.says("Enter the password you use now.")
        assert stage.app.screen.query_one("#change").region == before
