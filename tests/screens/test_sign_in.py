"""The way in: first run, password, second factor, lockout, lock; and what a person without an account sees."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pyotp
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.console import Console
from screens.create_account import CreateAccount
from screens.lock import LockScreen
from screens.sign_in import SignIn
from store.values.bindings import ProviderKind
from store.values.two_factor import Enrolment
from tests.harness.console_steps import enable_two_factor
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.stores import add_account, make_store, store_with_account


async def test_a_first_run_creates_the_account_and_opens_the_console() -> None:
    async with console(make_store(), signed_in=False) as stage:
        assert isinstance(stage.app.screen, CreateAccount)
        assert stage.says("At least 8 characters")
        await stage.fill("username", "bob")
        await stage.fill("email", "bob@example.com")
        await stage.fill("password", PASSWORD)
        await stage.fill("confirmation", PASSWORD)
        assert stage.says("strong")
        assert stage.says("✓ matches")
        await stage.click("#create")
        assert isinstance(stage.app.screen, Console)
        assert stage.store.accounts.find("bob").email == "bob@example.com"


async def test_everything_that_is_wrong_with_a_new_account_is_told_at_once() -> None:
    async with console(make_store(), signed_in=False) as stage:
        for control, text in (
            ("username", "a b"),
            ("email", "nowhere"),
            ("password", "short"),
            ("confirmation", "shorter"),
        ):
            await stage.fill(control, text)
        await stage.click("#create")
        assert isinstance(stage.app.screen, CreateAccount)
        for sentence in ("A name has 1 to 64", "Enter one address", "at least 8 characters.", "do not match"):
            assert stage.says(sentence)
        assert stage.app.focused is stage.app.screen.query_one("#username")
        assert stage.store.accounts.is_empty()


@pytest.mark.parametrize(
    ("name", "password", "confirmation", "sentence"),
    [
        ("bob", PASSWORD, "another", "do not match"),
        ("bob", "short", "short", "at least 8 characters"),
        ("bob", "password1", "password1", "easy to guess"),
        ("with space", PASSWORD, PASSWORD, "A name has 1 to 64"),
        ("", PASSWORD, PASSWORD, "A name has 1 to 64"),
        ("evil\u202ename", PASSWORD, PASSWORD, "A name has 1 to 64"),
    ],
)
async def test_a_first_account_is_refused_at_its_field(
    name: str, password: str, confirmation: str, sentence: str
) -> None:
    async with console(make_store(), signed_in=False) as stage:
        for control, text in (("username", name), ("password", password), ("confirmation", confirmation)):
            await stage.fill(control, text)
        await stage.click("#create")
        assert isinstance(stage.app.screen, CreateAccount)
        assert stage.says(sentence)
        assert stage.store.accounts.is_empty()


async def test_a_password_lets_in_whatever_the_case_of_the_name() -> None:
    async with console(signed_in=False) as stage:
        assert isinstance(stage.app.screen, SignIn)
        await stage.type("ALICE")
        await stage.press("enter")
        await stage.type(PASSWORD)
        await stage.press("enter")
        assert isinstance(stage.app.screen, Console)


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_a_wrong_password_and_an_unknown_name_read_alike(name: str) -> None:
    async with console(signed_in=False) as stage:
        await stage.sign_in(name, "wrong password here")
        assert stage.says("Wrong username or password.")
        assert stage.app.screen.query_one("#password", Input).value == ""


async def test_a_lockout_counts_down_and_ends() -> None:
    async with console(signed_in=False) as stage:
        await stage.fill("username", "alice")
        for _ in range(6):
            await stage.fill("password", "wrong password here")
            await stage.click("#sign-in")
        screen = stage.app.screen
        assert isinstance(screen, SignIn)
        assert stage.says("Try again in 1:00")
        screen._count_down()
        assert stage.says("Try again in 0:59")
        screen.wait_seconds = 0
        assert stage.says("You can try again now")
        stage.clock.advance(seconds=61)
        await stage.fill("password", PASSWORD)
        await stage.click("#sign-in")
        assert isinstance(stage.app.screen, Console)


async def test_a_locked_name_does_not_keep_another_one_out() -> None:
    store = store_with_account()
    add_account(store, "bob", email="bob@example.com")
    async with console(store, signed_in=False) as stage:
        await stage.fill("username", "bob")
        for _ in range(6):
            await stage.fill("password", "wrong password here")
            await stage.click("#sign-in")
        assert stage.says("Try again in 1:00")
        await stage.fill("username", "alice")
        assert not stage.says("Try again")
        await stage.sign_in("bob", PASSWORD)
        assert stage.says("Try again in 1:00")
        await stage.sign_in("alice", PASSWORD)
        assert isinstance(stage.app.screen, Console)


@asynccontextmanager
async def sign_in_with_second_factor() -> AsyncIterator[tuple[Stage, Enrolment]]:
    """The sign-in screen, where alice has two-factor authentication."""
    store = store_with_account()
    enrolment = enable_two_factor(store)
    async with console(store, signed_in=False) as stage:
        yield stage, enrolment


@pytest.mark.parametrize("with_backup_code", [False, True])
async def test_a_second_factor_is_asked_for(with_backup_code: bool) -> None:
    async with sign_in_with_second_factor() as (stage, enrolment):
        stage.clock.advance(seconds=30)
        await stage.sign_in("alice", PASSWORD)
        assert stage.app.screen.query_one("#code").display
        await stage.enter("code", "000000")
        assert stage.says("The code is wrong")
        code = enrolment.codes[1] if with_backup_code else pyotp.TOTP(enrolment.secret).at(stage.clock.now())
        await stage.enter("code", code)
        assert isinstance(stage.app.screen, Console)


async def test_a_code_that_confirmed_the_enrolment_does_not_sign_in() -> None:
    async with sign_in_with_second_factor() as (stage, enrolment):
        await stage.sign_in("alice", PASSWORD)
        await stage.enter("code", pyotp.TOTP(enrolment.secret).at(stage.clock.now()))
        assert stage.says("This code was used before")


async def test_a_sign_in_that_took_too_long_starts_again() -> None:
    async with sign_in_with_second_factor() as (stage, enrolment):
        await stage.sign_in("alice", PASSWORD)
        stage.clock.advance(minutes=6)
        await stage.enter("code", pyotp.TOTP(enrolment.secret).at(stage.clock.now()))
        assert stage.app.screen.query_one("#password").display
        assert stage.says("took too long")


async def test_a_locked_console_takes_a_code_and_refuses_a_wrong_password() -> None:
    async with sign_in_with_second_factor() as (stage, enrolment):
        stage.clock.advance(seconds=30)
        await stage.sign_in("alice", PASSWORD)
        await stage.enter("code", enrolment.codes[2])
        await stage.press("ctrl+l")
        assert isinstance(stage.app.screen, LockScreen)
        await stage.enter("password", "wrong")
        assert isinstance(stage.app.screen, LockScreen)
        await stage.fill("code", pyotp.TOTP(enrolment.secret).at(stage.clock.now()))
        await stage.click("#unlock")
        assert isinstance(stage.app.screen, Console)


async def test_idle_minutes_lock(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    stage.app._last_input -= stage.app.config.idle_lock_minutes * 60
    stage.app._lock_if_idle()
    await stage.settle()
    assert isinstance(stage.app.screen, LockScreen)


async def test_a_locked_console_can_be_signed_out() -> None:
    async with console(press="ctrl+l") as stage:
        await stage.press("escape")
        assert isinstance(stage.app.screen, SignIn)
        assert stage.says("You signed out.")


async def press_many(pilot: Pilot[None], keys: str) -> None:
    for key in keys:
        await pilot.press(key)


async def test_a_locked_console_lets_no_key_through_to_the_page() -> None:
    async with console(press="ctrl+l") as stage:
        await press_many(stage.pilot, "txp")
        await stage.press("ctrl+s", "f2", "r")
        assert isinstance(stage.app.screen, LockScreen)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_every_provider_can_be_read(size: tuple[int, int]) -> None:
    store = store_with_account()
    store.site.set("account_binding.enabled", "true")
    names = ["A Very Long Provider Name Inc", "Forge", "GitHub", "Example University", "Letters Only"]
    for number, name in enumerate(names):
        store.bindings.add_provider(
            f"provider-{number}", name, ProviderKind.GITHUB, issuer="", client_id="x", client_secret=None
        )
    async with console(store, signed_in=False, size=size) as stage:
        for name in names:
            assert stage.says(name), stage.text()
