"""The pilot of the tests: it waits for whatever Textual's own waits for, and for nothing else."""

import asyncio

import pytest
from textual import work
from textual._wait import wait_for_idle
from textual.app import App

from tests.harness import quick_pilot

pytestmark = pytest.mark.anyio

STEPS = 5


class Counter(App[None]):
    """Each key starts another kind of work; `done` counts its steps."""

    done = 0

    def step(self, _: object = None) -> None:
        self.done += 1
        if self.done < STEPS:
            self.call_later(self.step)

    def key_a(self) -> None:
        self.call_later(self.step)

    async def key_b(self) -> None:
        for _ in range(STEPS):
            await asyncio.sleep(0)
            self.done += 1

    def key_c(self) -> None:
        self.set_timer(0.001, self.step)

    def key_d(self) -> None:
        self.in_a_thread()

    @work(thread=True)
    def in_a_thread(self) -> None:
        self.call_from_thread(self.step)


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The times that Textual's own wait was asked."""
    asked: list[float] = []

    async def wait(min_sleep: float, max_sleep: float) -> None:
        asked.append(min_sleep)
        await wait_for_idle(min_sleep, max_sleep)

    monkeypatch.setattr(quick_pilot, "wait_for_idle", wait)
    return asked


@pytest.mark.parametrize("key", ["a", "b", "c", "d"])
async def test_all_that_a_key_starts_is_waited_for(key: str) -> None:
    app = Counter()
    async with app.run_test() as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert app.done == STEPS


async def test_nobody_sleeps_where_nothing_is_under_way(sleeps: list[float]) -> None:
    async with Counter().run_test() as pilot:
        await pilot.pause()
        sleeps.clear()
        for _ in range(10):
            await pilot.pause()
        assert sleeps == []
