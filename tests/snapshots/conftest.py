"""Pictures of the real console on a store whose clock stands still and whose randomness is seeded."""

import asyncio
from functools import partial
from typing import Any, Protocol

import pytest
from textual.pilot import Pilot

from remote.patience import Patience
from screens.app import GatekeyApp
from store.store import Store
from store.values.drawer import FetchPlace
from tests.harness.consoles import Stage
from tests.harness.remote_consoles import remote_account
from tests.harness.stores import StillClock, sign_in, still_clock, store_with_account
from tests.new_api import running
from tests.new_api.running import StandIn
from tests.snapshots.steps import Step, take_steps
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options


class Picture(Protocol):
    def __call__(
        self,
        *steps: Step | str,
        store: Store | None = None,
        signed_in: bool = True,
        size: tuple[int, int] = (80, 24),
        theme: str = "gatekey-dark",
        settle: bool = True,
        fetch_place: FetchPlace | None = None,
    ) -> None: ...


@pytest.fixture
def picture(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> Picture:
    """Compare a picture of the console after `steps`: keys with spaces between, and coroutine functions.

    `tests/snapshots/steps.py` makes such functions.

    Where the console waits for somebody outside it never settles; there the steps do all the waiting.
    """
    monkeypatch.setenv("HOME", "/home/alice")

    def take(
        *steps: Step | str,
        store: Store | None = None,
        signed_in: bool = True,
        size: tuple[int, int] = (80, 24),
        theme: str = "gatekey-dark",
        settle: bool = True,
        fetch_place: FetchPlace | None = None,
    ) -> None:
        if store is None:
            store = store_with_account()
        clock = still_clock(store)
        options = Options(no_files=fetch_place is not None)
        token = sign_in(store) if signed_in else ""
        account = LocalAccount(options, opened=store, token=token, fetch_place=fetch_place)
        app = GatekeyApp(account, ConsoleConfig(theme=theme))
        prepare = partial(_prepare, app, store, clock, steps, settle=settle)
        assert snap_compare(app, terminal_size=size, run_before=prepare)

    return take


async def _prepare(
    app: GatekeyApp,
    store: Store | None,
    clock: StillClock,
    steps: tuple[Step | str, ...],
    pilot: Pilot[None],
    *,
    settle: bool,
) -> None:
    stage = Stage(app, pilot, store, clock)
    await stage.settle()
    await take_steps(stage, steps)
    if settle:
        await stage.settle()


class ServerPicture(Protocol):
    def __call__(self, *steps: Step | str, signed_in: bool = True, size: tuple[int, int] = (80, 24)) -> None: ...


@pytest.fixture
def server_picture(snap_compare: Any, standin: StandIn) -> ServerPicture:
    """As `picture`, of a console whose account is on a server: `standin`, which the test has to name."""

    def take(*steps: Step | str, signed_in: bool = True, size: tuple[int, int] = (80, 24)) -> None:
        account = remote_account(standin, resumes="alice" if signed_in else "", patience=Patience(outage_waits=()))

        async def sign_in_there() -> None:
            await account.open()
            assert await account.sign_in("alice", running.PASSWORD) is None

        if signed_in:
            asyncio.run(sign_in_there())
        app = GatekeyApp(account, ConsoleConfig(theme="gatekey-dark"))
        prepare = partial(_prepare, app, None, standin.clock, steps, settle=True)
        assert snap_compare(app, terminal_size=size, run_before=prepare)

    return take
