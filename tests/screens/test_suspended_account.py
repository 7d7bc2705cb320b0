"""The console of a suspended account, and of one whose password the site now finds too short."""

import pyotp
import pytest

from screens.console import Console
from screens.lock import LockScreen
from screens.settings.ask_password import AskPassword
from screens.settings.two_factor_manage import TwoFactorManage
from screens.sign_in import SignIn
from store.site_switches import PASSWORD_MINIMUM
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.stores import make_store, store_with_account
from tui.widgets.confirm import Confirm

LONGER = "correct horse battery staple and a half more"


def suspend(stage: Stage) -> None:
    stage.store.suspension.suspend("alice", actor="test")


async def test_a_running_console_ends_with_a_sentence(stage: Stage) -> None:
    suspend(stage)
    await stage.press("2")
    await stage.press("r")
    assert isinstance(stage.app.screen, SignIn)
    assert stage.says("An administrator suspended this account, and this session ended with it.")


async def test_a_locked_console_ends_with_a_sentence() -> None:
    async with console(press="ctrl+l") as stage:
        assert isinstance(stage.app.screen, LockScreen)
        suspend(stage)
        await stage.fill("password", PASSWORD)
        await stage.click("#unlock")
        assert isinstance(stage.app.screen, SignIn)
        assert stage.says("An administrator suspended this account")


async def test_only_the_right_password_is_told() -> None:
    async with console(signed_in=False) as stage:
        suspend(stage)
        for password, sentence in (("wrong", "Wrong username or password."), (PASSWORD, "is suspended.")):
            await stage.sign_in("alice", password)
            assert isinstance(stage.app.screen, SignIn)
            assert stage.says(sentence)
            assert stage.says("suspended") is (password == PASSWORD)


async def test_a_password_the_site_finds_too_short_is_told_until_it_is_changed() -> None:
    store = store_with_account()
    store.site.set(PASSWORD_MINIMUM, "40")
    async with console(store, signed_in=False) as stage:
        await stage.sign_in("alice", PASSWORD)
        assert isinstance(stage.app.screen, Console)
        told = "Your password has fewer than 40 characters, which this site asks for without a second factor."
        assert stage.says(told)
        await stage.press("2")
        await stage.press("p")
        assert stage.says("at least 40 characters, not easy to guess")
        for control, text in (("original-password", PASSWORD), ("new-password", LONGER), ("confirmation", LONGER)):
            await stage.fill(control, text)
        await stage.click("#change")
        assert isinstance(stage.app.screen, Console)
        stage.app.screen.refresh_summary()
        await stage.settle()
        assert not stage.says("fewer than 40")


async def test_a_first_run_shows_the_site_s_minimum() -> None:
    store = make_store()
    store.site.set(PASSWORD_MINIMUM, "40")
    async with console(store, signed_in=False) as stage:
        await stage.settle()
        assert stage.says("At least 40 characters, not easy to guess")


@pytest.mark.parametrize(("minimum", "goes_off"), [(15, True), (40, False)])
async def test_switching_the_second_factor_off_asks_for_the_password(minimum: int, goes_off: bool) -> None:
    store = store_with_account()
    store.site.set(PASSWORD_MINIMUM, str(minimum))
    async with console(store) as stage:
        token = stage.app.account._token  # type: ignore[attr-defined]  # the session whose second factor this is
        enrolment = store.two_factor.begin(token)
        store.two_factor.confirm_saved(token, enrolment.codes[0])
        store.two_factor.complete(token, pyotp.TOTP(enrolment.secret).at(stage.clock.now()))
        await stage.press("2")
        await stage.press("f")
        assert isinstance(stage.app.screen, TwoFactorManage)
        await stage.press("d")
        question = stage.app.screen
        assert isinstance(question, Confirm)
        await stage.press("y")
        assert isinstance(stage.app.screen, AskPassword)
        assert stage.says(f"at least {minimum} characters")
        await stage.press("enter")
        assert stage.says("Enter the password you use now.")
        await stage.enter("password", PASSWORD)
        await stage.settle()
        assert store.two_factor.status(token).is_enabled is not goes_off
        if goes_off:
            assert isinstance(stage.app.screen, Console)
        else:
            assert stage.says("Your password has fewer than the 40 characters")
