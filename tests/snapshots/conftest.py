"""Pictures of the real console on a store whose clock stands still and whose randomness is seeded."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import pytest
from textual.pilot import Pilot

from screens.app import GatekeyApp
from store.store import Store
from store.values.drawer import FetchPlace
from tests.harness.consoles import Stage
from tests.harness.stores import StillClock, add_account, make_store, sign_in
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options

Steps = Callable[[Stage], Awaitable[None]]


class Picture(Protocol):
    def __call__(
        self,
        steps: Steps | str = "",
        *,
        store: Store | None = None,
        signed_in: bool = True,
        size: tuple[int, int] = (80, 24),
        theme: str = "gatekey-dark",
        settle: bool = True,
        fetch_place: FetchPlace | None = None,
    ) -> None: ...


@pytest.fixture
def picture(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> Picture:
    """Compare a picture of the console after `steps`: keys with spaces between, or a coroutine function.

    Where the console waits for somebody outside it never settles; there the steps do all the waiting.
    """
    monkeypatch.setenv("HOME", "/home/alice")

    def take(
        steps: Steps | str = "",
        *,
        store: Store | None = None,
        signed_in: bool = True,
        size: tuple[int, int] = (80, 24),
        theme: str = "gatekey-dark",
        settle: bool = True,
        fetch_place: FetchPlace | None = None,
    ) -> None:
        if store is None:
            store = make_store()
            add_account(store)
        clock = store.context.clock
        assert isinstance(clock, StillClock)
        options = Options(no_files=fetch_place is not None)
        token = sign_in(store) if signed_in else ""
        account = LocalAccount(options, opened=store, token=token, fetch_place=fetch_place)
        app = GatekeyApp(account, ConsoleConfig(theme=theme))

        async def prepare(pilot: Pilot[None]) -> None:
            stage = Stage(app, pilot, store, clock)
            await stage.settle()
            if isinstance(steps, str):
                if steps:
                    await stage.press(*steps.split())
            else:
                await steps(stage)
            if settle:
                await stage.settle()

        assert snap_compare(app, terminal_size=size, run_before=prepare)

    return take
