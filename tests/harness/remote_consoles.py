"""A console whose account is on a server, which a stand-in plays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from remote.address import parse_server_address
from remote.client import RemoteClient
from remote.patience import Patience
from screens.app import GatekeyApp
from screens.title_bar import TitleBar
from tests.harness.consoles import Stage
from tests.harness.stores import StillClock, make_store
from tests.new_api.running import PASSWORD, StandIn
from tui.keymap import ConsoleConfig
from tui.remote_account import RemoteAccount
from tui.store_location import Options

WIDE = (120, 60)


def remote_account(standin: StandIn) -> RemoteAccount:
    """The account, not open yet. Its session is held in memory alone."""
    address = parse_server_address(standin.address)
    return RemoteAccount(
        address,
        lambda told: RemoteClient(address, patience=Patience(told=told), clock=standin.clock),
        Options(),
        clock=standin.clock,
    )


@asynccontextmanager
async def signed_in_account(standin: StandIn, name: str = "alice") -> AsyncIterator[RemoteAccount]:
    """The account, with a session."""
    account = remote_account(standin)
    await account.open()
    try:
        assert await account.sign_in(name, PASSWORD) is None
        yield account
    finally:
        await account.close()


@asynccontextmanager
async def remote_console(
    standin: StandIn, *, size: tuple[int, int] = WIDE, signs_in: bool = True
) -> AsyncIterator[Stage]:
    """The console of alice, from its sign-in screen on."""
    account = remote_account(standin)
    app = GatekeyApp(account, ConsoleConfig())
    async with app.run_test(size=size, notifications=True) as pilot:
        # The stage's store belongs to consoles of this machine, and is not looked at.
        with make_store() as store:
            clock = store.context.clock
            assert isinstance(clock, StillClock)
            stage = Stage(app, pilot, store, clock)
            await stage.settle()
            if signs_in:
                await stage.fill("username", "alice")
                await stage.fill("password", PASSWORD)
                await stage.click("#sign-in")
                await stage.until(
                    lambda: app.screen.query(TitleBar) and app.screen.query_one(TitleBar).summary is not None
                )
                await stage.settle()
            try:
                yield stage
            finally:
                await account.close()
