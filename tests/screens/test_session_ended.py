"""A session that ended elsewhere: it is told once, however much fails of it, and nothing of it acts afterwards."""

import asyncio

import pytest

from screens.console import Console
from screens.help import Help
from screens.sign_in import SignIn
from store.errors import SessionEnded
from tests.harness.console_steps import open_module
from tests.harness.consoles import PASSWORD, Stage, console
from tests.harness.slow_accounts import slow_console
from tests.harness.stores import sign_in
from tui.widgets.confirm import Choice

NEW_PASSWORD = "quiet harbour lantern sky"


@pytest.mark.parametrize("tab", ["1", "3", "4", "5", "6", "f5"])
async def test_a_tab_whose_reads_all_fail_ends_the_session_once(tab: str, stage: Stage) -> None:
    """Each tab reads more than one thing when it is first shown, and each of them fails."""
    stage.store.passwords.reset("alice", NEW_PASSWORD, actor="test")
    await stage.press(tab)
    await is_told_once(stage)
    await signs_in_again(stage, NEW_PASSWORD)


@pytest.mark.parametrize("module", ["overview", "api-keys", "usage-logs", "wallet", "playground"])
async def test_a_module_whose_reads_all_fail_ends_the_session_once(module: str, stage: Stage) -> None:
    stage.store.passwords.reset("alice", NEW_PASSWORD, actor="test")
    await open_module(stage, module)
    await is_told_once(stage)
    await signs_in_again(stage, NEW_PASSWORD)


async def test_ten_failures_at_once_put_up_one_screen(stage: Stage) -> None:
    screen = stage.app.screen
    assert isinstance(screen, Console)
    shown: list[object] = []
    stage.app.screen_change_signal.subscribe(screen, shown.append, immediate=True)
    for _ in range(10):
        stage.app.session_ended(SessionEnded())
    await is_told_once(stage)
    assert len(shown) == 1


async def test_a_failure_of_an_ended_console_does_not_end_the_next_session() -> None:
    """A request of the first console is answered, and refused, when somebody has signed in again."""
    async with slow_console("quota") as (stage, account):
        await stage.settle()
        first = stage.app.screen
        assert isinstance(first, Console)
        first.action_open_module("wallet")
        await stage.until(lambda: account.asked)
        stage.app.session_ended()
        await stage.until(lambda: isinstance(stage.app.screen, SignIn) and stage.app.screen.query("#other-ways"))
        account._token = sign_in(stage.store)
        stage.app.show_console()
        stage.store.sessions.sign_out_others(account._token)
        await account.answer(stage)
        assert isinstance(stage.app.screen, Console)
        assert stage.app.screen is not first


async def test_a_sign_in_screen_that_is_replaced_before_its_data_is_open_does_nothing_more(stage: Stage) -> None:
    stage.app.show_sign_in("one")
    stage.app.show_sign_in("two")
    stage.app.show_sign_in("three")
    await stage.settle()
    assert stage.says("three")
    await signs_in_again(stage, PASSWORD)


async def test_a_worker_that_is_started_on_a_screen_that_is_gone_does_not_begin(stage: Stage) -> None:
    screen = stage.app.screen
    assert isinstance(screen, Console)
    stage.app.session_ended()
    begun: list[bool] = []

    async def act() -> None:
        begun.append(True)

    screen.run_worker(act)
    screen.refresh_summary()
    await stage.settle()
    assert begun == []


async def test_one_can_leave_after_the_session_ended_under_the_question_whether_to(stage: Stage) -> None:
    """The question goes with the console, and nobody waits for its answer any more."""
    await stage.press("4", "tab", "space")
    await stage.press("ctrl+q")
    assert isinstance(stage.app.screen, Choice)
    stage.app.session_ended()
    await stage.settle()
    await stage.pilot.press("ctrl+q")
    await stage.until(lambda: not stage.app.is_running or stage.app._exit)


async def test_what_fails_while_one_signs_out_is_no_news() -> None:
    """The tab that is opened meanwhile finds no session; the sign-in screen comes once, and says what was done."""
    async with slow_console("sign_out") as (stage, account):
        await stage.settle()
        shown: list[object] = []
        stage.app.screen_change_signal.subscribe(stage.app.screen, shown.append, immediate=True)
        stage.app.action_sign_out()
        await stage.until(lambda: account.asked)
        stage.app.session_ended(SessionEnded())
        await account.answer(stage)
        assert isinstance(stage.app.screen, SignIn)
        assert stage.says("You signed out.")
        assert len(shown) == 1


async def test_a_first_run_found_behind_the_help_takes_the_place_of_the_sign_in() -> None:
    from tests.harness.stores import make_store

    async with console(make_store(), signed_in=False) as stage:
        stage.app.show_sign_in()
        await stage.app.push_screen(Help.about(stage.app.screen))
        await stage.settle()
        assert not any(isinstance(screen, SignIn) for screen in stage.app.screen_stack)
        assert len(stage.app.screen_stack) == 2


async def is_told_once(stage: Stage) -> None:
    await stage.settle()
    assert [type(screen) for screen in stage.app.screen_stack[1:]] == [SignIn], stage.app.screen_stack
    assert stage.says(SessionEnded.sentence), stage.text()
    await asyncio.sleep(0)
    assert stage.app.is_running


async def signs_in_again(stage: Stage, password: str) -> None:
    await stage.fill("username", "alice")
    await stage.enter("password", password)
    await stage.click("#sign-in") if isinstance(stage.app.screen, SignIn) else None
    assert isinstance(stage.app.screen, Console), stage.text()
