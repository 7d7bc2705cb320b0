"""The background tasks run while a worker has the seat, and not before or after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from gateway import seat as module
from gateway.seat import Seat, seated_tasks
from gateway.worker_locks import WorkerLocks
from store.store import Store


class Locks:
    """A seat that another worker has until `is_free`."""

    def __init__(self) -> None:
        self.is_free = False
        self.has_left = False
        self.tried = asyncio.Event()

    def take_seat(self) -> bool:
        self.tried.set()
        return self.is_free

    def leave_seat(self) -> None:
        self.has_left = True


async def test_the_tasks_run_in_the_seat_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    running = asyncio.Event()
    ended: list[bool] = []
    locks = Locks()

    @asynccontextmanager
    async def tasks(*_: object) -> AsyncIterator[None]:
        running.set()
        yield
        ended.append(locks.has_left)

    monkeypatch.setattr(module, "background_tasks", tasks)
    monkeypatch.setattr(module, "SEAT_POLL_S", 0.01)
    seat = Seat(cast("WorkerLocks", locks))
    async with seated_tasks(store, None, seat):
        await locks.tried.wait()
        assert not running.is_set()
        locks.is_free = True
        await running.wait()
        seat.resign()
    assert ended == [False]
    assert locks.has_left


async def test_a_worker_that_never_had_the_seat_ends(store: Store) -> None:
    locks = Locks()
    async with seated_tasks(store, None, Seat(cast("WorkerLocks", locks))):
        await locks.tried.wait()
    assert not locks.has_left
