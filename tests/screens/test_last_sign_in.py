"""After a sign-in one line tells what happened before it."""

from screens.console import Console
from screens.sign_in_line import SignInLine
from tests.harness.console_steps import enable_two_factor
from tests.harness.consoles import PASSWORD, console
from tests.harness.stores import sign_in, store_with_account


async def test_the_first_sign_in_has_nothing_to_tell() -> None:
    async with console(signed_in=False) as stage:
        await stage.sign_in("alice", PASSWORD)
        assert isinstance(stage.app.screen, Console)
        assert not stage.app.screen.query(SignInLine)


async def test_the_sign_in_before_and_the_failed_tries_since_are_told_until_something_is_done() -> None:
    store = store_with_account()
    sign_in(store, source="ssh 10.0.0.2")
    store.context.clock.advance(hours=12)  # type: ignore[attr-defined] # the still clock of the tests
    async with console(store, signed_in=False) as stage:
        for _ in range(3):
            await stage.sign_in("alice", "wrong password here")
        await stage.sign_in("alice", PASSWORD)
        assert stage.says("Last sign-in: 12 h ago from ssh 10.0.0.2. 3 failed tries since.")
        await stage.press("3")
        assert not stage.says("Last sign-in")


async def test_a_dialog_ends_the_line_too() -> None:
    store = store_with_account()
    sign_in(store, source="ssh 10.0.0.2")
    async with console(store, signed_in=False) as stage:
        await stage.sign_in("alice", PASSWORD)
        assert stage.says("Last sign-in: just now from ssh 10.0.0.2.")
        assert not stage.says("failed tries since")
        await stage.press("p", "escape")
        assert not stage.says("Last sign-in")


async def test_a_backup_code_says_how_many_are_left() -> None:
    store = store_with_account()
    enrolment = enable_two_factor(store)
    async with console(store, signed_in=False) as stage:
        await stage.sign_in("alice", PASSWORD)
        await stage.enter("code", enrolment.codes[0])
        assert stage.says(f"You used a backup code: {len(enrolment.codes) - 1} are left.")
