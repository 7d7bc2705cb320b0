"""A stand-in on a loopback port or in memory, with a clock that a test moves and chance that repeats itself."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx

from tests.harness.live_servers import live
from tests.harness.stores import StillClock
from tests.new_api.accounts import Account
from tests.new_api.app import App
from tests.new_api.faults import Faults
from tests.new_api.generations import Generation
from tests.new_api.world import World

ROOT_PASSWORD: Final = "Thr0waway-root"
PASSWORD: Final = "Al1ce-pass-word"
QUOTA: Final = 2_500_000
NOWHERE: Final = "https://api.example.com"
"""The address of a stand-in in memory."""


@dataclass
class StandIn:
    """A running stand-in: its address, and what a test may look at and change."""

    address: str
    app: App
    clock: StillClock
    _port: ExitStack = field(default_factory=ExitStack)
    """Holds the port of a stand-in that has one."""

    @property
    def world(self) -> World:
        return self.app.world

    @property
    def faults(self) -> Faults:
        return self.app.faults

    @property
    def alice(self) -> Account:
        """The one common account that `running` makes."""
        return self.world.accounts[2]

    def open_port(self) -> None:
        """Listen at the address again."""
        self._port.enter_context(live(self.app, urlsplit(self.address).port or 0))

    def close_port(self) -> None:
        """Stop listening, as a server that is switched off: a connection is refused."""
        self._port.close()

    @property
    def unlike_recorded(self) -> list[str]:
        """The requests that were like none that was recorded."""
        return list(self.app.unlike_recorded)

    def transport(self) -> httpx.AsyncBaseTransport | None:
        """The way to a stand-in in memory; None for one with a port."""
        return _InMemory(self.app) if self.address == NOWHERE else None

    def restart(self) -> None:
        """Restart, as if it were over at once: memory is lost, the database is not."""
        self.world.forget_memory()


class _InMemory(httpx.ASGITransport):
    """A transport that meets nobody while the stand-in is down."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self._faults = app.faults

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._faults.is_down:
            raise httpx.ConnectError("connection refused", request=request)
        return await super().handle_async_request(request)


@contextmanager
def running(
    generation: Generation, *, seed: int = 1, is_set_up: bool = True, takes_any_request: bool = False
) -> Iterator[StandIn]:
    """A stand-in until the block ends. Set up, it has root and alice with five dollars.

    At the end it fails the test if a request was like none that was recorded, unless it `takes_any_request`.
    """
    app, clock = _made(generation, seed, is_set_up=is_set_up)
    with ExitStack() as port:
        standin = StandIn(port.enter_context(live(app)), app, clock, port)
        yield standin
        if not takes_any_request:
            _refuse_unlike(standin)


@contextmanager
def in_memory(generation: Generation, *, seed: int = 1) -> Iterator[StandIn]:
    """As `running`, without a port: it is quicker, has the same address each time, and drops no connection."""
    app, clock = _made(generation, seed, is_set_up=True)
    standin = StandIn(NOWHERE, app, clock)
    yield standin
    _refuse_unlike(standin)


def _made(generation: Generation, seed: int, *, is_set_up: bool) -> tuple[App, StillClock]:
    clock = StillClock()
    world = World(generation, clock, random.Random(seed))
    if is_set_up:
        world.set_up("root", ROOT_PASSWORD)
        world.add_account("alice", PASSWORD, "Alice", quota=QUOTA)
        world.options |= {"SMTPServer": "mail.example.com", "ModelRatio": '{"stub-model":1,"boom-model":1}'}
        world.channels.append({"name": "stub", "models": "stub-model,free-model,boom-model"})
    return App(world), clock


def _refuse_unlike(standin: StandIn) -> None:
    assert not standin.unlike_recorded, "\n".join(standin.unlike_recorded)
