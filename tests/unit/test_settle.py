"""A console of the tests has settled when nothing of it is under way, wherever that is."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from textual.message_pump import MessagePump
from textual.widgets import Static

from screens.app import GatekeyApp
from screens.help import Help
from tests.harness.consoles import console
from tests.harness.idle import is_at_work
from tui.widgets.confirm import Confirm

LONG_S = 0.4
"""What is under way lasts so long: twenty times the pause in which a program at rest is told from one at work."""

PLACES: dict[str, Callable[[GatekeyApp], MessagePump]] = {
    "the application": lambda app: app,
    "the screen": lambda app: app.screen,
    "a screen below": lambda app: app.screen_stack[-2],
    "a widget": lambda app: app.screen.query(Static).first(),
    "a widget of a screen below": lambda app: app.screen_stack[-2].query(Static).first(),
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_handler_that_waits_for_a_thread_is_waited_for(place: str) -> None:
    async with console(press="f1") as stage:
        assert isinstance(stage.app.screen, Help)
        released, ended = threading.Event(), []

        async def handle() -> None:
            asyncio.get_running_loop().call_later(LONG_S, released.set)
            await asyncio.to_thread(released.wait)
            ended.append(place)

        PLACES[place](stage.app).call_later(handle)
        await stage.settle()
        assert ended == [place]


async def test_a_worker_of_the_console_is_waited_for() -> None:
    async with console() as stage:
        released = threading.Event()

        async def work() -> str:
            asyncio.get_running_loop().call_later(LONG_S, released.set)
            await asyncio.to_thread(released.wait)
            return "done"

        worker = stage.app.screen.run_worker(work())
        await stage.settle()
        assert worker.result == "done"


async def test_a_worker_that_waits_for_a_dialog_is_not_waited_for() -> None:
    async with console() as stage:
        worker = stage.app.run_worker(stage.app.push_screen_wait(Confirm("Sure?", "It cannot be undone.")))
        await stage.settle()
        assert worker.is_running
        await stage.press("y")
        assert worker.result is True


async def test_what_a_handler_asks_for_is_waited_for_too() -> None:
    async with console() as stage:
        passed: list[int] = []

        def ask(left: int) -> None:
            passed.append(left)
            if left:
                [stage.app, stage.app.screen][left % 2].call_later(ask, left - 1)

        stage.app.call_later(ask, 200)
        await stage.settle()
        assert passed[-1] == 0


async def test_a_message_pump_is_at_work_until_its_handler_has_ended() -> None:
    async with console() as stage:
        release = asyncio.Event()
        screen = stage.app.screen
        assert not is_at_work(screen)
        screen.call_later(release.wait)
        assert is_at_work(screen)  # its message waits
        await stage.until(lambda: not screen.message_queue_size)
        assert is_at_work(screen)  # its handler does
        release.set()
        await stage.until(lambda: not is_at_work(screen))
