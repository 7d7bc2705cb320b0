"""A console whose account is on a server, which a stand-in plays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from remote.address import parse_server_address
from remote.client import RemoteClient
from remote.patience import Patience, Told
from remote.transport import Transport
from screens.app import GatekeyApp
from screens.title_bar import TitleBar
from tests.harness.consoles import Stage
from tests.new_api.running import PASSWORD, StandIn
from tui.keymap import ConsoleConfig
from tui.remote_account import RemoteAccount
from tui.store_location import Options

WIDE = (120, 60)
IMPATIENT = Patience(outage_waits=())
"""Waits for no server that is gone."""


def remote_account(
    standin: StandIn, *, resumes: str = "", patience: Patience | None = None, no_files: bool = False
) -> RemoteAccount:
    """The account, not open yet. Its session is held in memory alone, and its clock is that of the server.

    It waits for a server that is gone as a console does, or with a `patience` that tells nobody.
    """
    address, clock = parse_server_address(standin.address), standin.clock

    def connect(told: Told) -> RemoteClient:
        transport = Transport(address, inner=standin.transport())
        return RemoteClient(address, transport=transport, patience=patience or Patience(told=told), clock=clock)

    return RemoteAccount(address, connect, Options(no_files=no_files), resumes=resumes, clock=clock)


@asynccontextmanager
async def signed_in_account(
    standin: StandIn, *, password: str = PASSWORD, patience: Patience | None = None, no_files: bool = False
) -> AsyncIterator[RemoteAccount]:
    """The account of alice, with a session."""
    account = remote_account(standin, resumes="alice", patience=patience, no_files=no_files)
    await account.open()
    try:
        assert await account.sign_in("alice", password) is None
        yield account
    finally:
        await account.close()


@asynccontextmanager
async def remote_console(
    standin: StandIn,
    *,
    size: tuple[int, int] = WIDE,
    signed_in: bool = True,
    keys: dict[str, str] | None = None,
    press: str = "",
    patience: Patience | None = None,
    no_files: bool = False,
) -> AsyncIterator[Stage]:
    """The console of alice, with a session or at its sign-in screen; `press` is the first key."""
    signed_out = closing(remote_account(standin, patience=patience))
    signed_in_one = signed_in_account(standin, patience=patience, no_files=no_files)
    async with signed_in_one if signed_in else signed_out as account:
        app = GatekeyApp(account, ConsoleConfig(keys or {}))
        async with app.run_test(size=size, notifications=True) as pilot:
            stage = Stage(app, pilot, None, standin.clock)
            await stage.settle()
            if signed_in:
                await stage.until(lambda: app.screen.query_one(TitleBar).summary is not None)
                await stage.settle()
            if press:
                await stage.press(press)
            yield stage


@asynccontextmanager
async def closing(account: RemoteAccount) -> AsyncIterator[RemoteAccount]:
    try:
        yield account
    finally:
        await account.close()
