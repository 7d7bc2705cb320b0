"""The waits of the input queue: they end by an event, and a stopped process loses no key."""

import asyncio
import time

import pytest
from textual.app import App
from textual.events import Key

from tui import input_queue
from tui.input_queue import InputQueue


async def test_a_process_that_was_stopped_keeps_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is stopped the clock runs on, and nothing that a key waits for can happen."""
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", 1.0)
    app = App[None]()
    async with app.run_test():
        queue = InputQueue(app)
        with queue.hold(keeps=False):
            queue.add(Key("a", "a"))
            time.sleep(input_queue.HOLD_TIMEOUT_S + 2 * input_queue.TIMEOUT_STEP_S)  # noqa: ASYNC251 - as SIGSTOP does
            for _ in range(5):
                await asyncio.sleep(0)
            assert not queue.is_quiet
        while not queue.is_quiet:
            await asyncio.sleep(0)
            queue.has_passed(input_queue.InputPassed(1, 1))
        assert queue.next() is not None


async def test_a_hold_that_takes_too_long_drops_what_was_typed_unless_it_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_queue, "HOLD_TIMEOUT_S", input_queue.TIMEOUT_STEP_S)
    app = App[None]()
    async with app.run_test():
        for keeps in (False, True):
            queue = InputQueue(app)
            key = Key("a", "a")
            with queue.hold(keeps=keeps):
                queue.add(key)
                while not queue._is_under_way:  # noqa: ASYNC110 - the queue tells nobody
                    await asyncio.sleep(input_queue.TIMEOUT_STEP_S)
                queue.has_passed(input_queue.InputPassed(1, 1))
                assert queue.next() is (key if keeps else None)
