"""A pilot that waits for what is under way, and not for the clock.

Textual's pilot waits for a process that used no processor time during 20 ms, five times for each key of a `Stage`, and
sends a message to every widget of the screen each time (8.2.8). This one sends nothing where every widget waits for its
next message. It does not sleep where nothing can wake the event loop soon. Where a timer, a thread, a process or a
socket can, Textual's own wait follows.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual._wait import SLEEP_GRANULARITY, wait_for_idle
from textual.app import ScreenStackError
from textual.message_pump import MessagePump
from textual.pilot import Pilot

_SOON_S: Final = 0.15
"""Longer than Textual's waits for one key take together: a timer that ends in that time was waited for by them."""
_MOST_TURNS: Final = 10_000
"""Of the event loop, before Textual's own wait: a program that never rests is waited for by the clock."""


def quick_pilot() -> Iterator[None]:
    """Replace the waits of every pilot."""
    wait_for_screen = Pilot._wait_for_screen

    async def wait_for_messages(pilot: Pilot[Any], timeout: float = 30.0) -> bool:  # noqa: ASYNC109 - Textual's
        await _rest()
        return _is_quiet(pilot) or await wait_for_screen(pilot, timeout)

    async def wait_for_work(min_sleep: float = SLEEP_GRANULARITY, max_sleep: float = 1) -> None:
        await _rest()
        if min_sleep > 0 or _may_wake(asyncio.get_running_loop()):
            await wait_for_idle(min_sleep, max_sleep)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pilot, "_wait_for_screen", wait_for_messages)
        patch.setattr(textual_pilot, "wait_for_idle", wait_for_work)
        patch.setattr(textual_app, "wait_for_idle", wait_for_work)
        yield


async def _rest() -> None:
    """Let the event loop run until nothing is ready but the caller."""
    loop: Any = asyncio.get_running_loop()
    for _ in range(_MOST_TURNS):
        await asyncio.sleep(0)
        if not loop._ready:
            return


def _is_quiet(pilot: Pilot[Any]) -> bool:
    """True if the application and each widget of its screen wait for a message, and none is there."""
    if pilot.app._exception_event.is_set():
        return False
    try:
        screen = pilot.app.screen
    except ScreenStackError:
        return False
    return all(map(_is_waiting, (pilot.app, *screen.walk_children(with_self=True))))


def _is_waiting(pump: MessagePump) -> bool:
    if pump._closing or pump._closed:
        return True
    queue: Any = pump._message_queue
    return bool(queue.ready_event._waiters) and not queue.values


def _may_wake(loop: Any) -> bool:
    """True if a timer, a thread, a process or a socket may soon give the loop work."""
    soon = loop.time() + _SOON_S
    if any(timer.when() <= soon and not timer.cancelled() for timer in loop._scheduled):
        return True
    # A loop watches one socket for itself.
    return len(loop._selector.get_map()) > 1 or _is_at_work(loop._default_executor)


def _is_at_work(executor: ThreadPoolExecutor | None) -> bool:
    if executor is None:
        return False
    # A thread counts itself as idle once it has handed over its result.
    return executor._work_queue.qsize() > 0 or executor._idle_semaphore._value < len(executor._threads)
