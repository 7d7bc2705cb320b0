"""The console of an account whose server stops answering: what was read stays, and nothing that was typed is lost."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input
from textual.widgets._toast import Toast

from remote.address import parse_server_address
from remote.client import RemoteClient
from remote.kept_sessions import KeptSessions
from remote.patience import Told
from remote.transport import Transport
from screens.app import GatekeyApp
from screens.console import Console
from screens.modules.overview import OverviewPage
from screens.page_reading import ReadingLine
from screens.title_bar import TitleBar
from tests.harness.consoles import Stage
from tests.harness.remote_consoles import IMPATIENT, remote_console
from tests.harness.standin_rows import add_call
from tests.harness.stores import make_ring
from tests.new_api.answers import Answer
from tests.new_api.api_keys import add_key
from tests.new_api.faults import Fault
from tests.new_api.generations import Generation
from tests.new_api.running import PASSWORD, StandIn, in_memory, running
from tui.keymap import ConsoleConfig
from tui.remote_account import RemoteAccount
from tui.store_location import Options
from tui.widgets.toggle import Toggle

GONE = "could not be reached. ^r tries again."
TABS = {
    "1": "Work directory",
    "2": "a password alone is enough",
    "3": "of $5.00 left",
    "4": "off recommended",
    "5": "IP addresses are not stored",
    "6": "● shown",
}
MODULES = {
    "usage-logs": "stub-model",
    "api-keys": "laptop",
    "wallet": "There is no top-up yet.",
    "overview": "of 3 followed",
}
"""What each page shows once it was read."""


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with in_memory(Generation.AUG) as found:
        _use(found)
        yield found


def _use(standin: StandIn) -> None:
    add_key(standin.world, standin.alice, name="laptop", expired_time=-1, unlimited_quota=True)
    add_call(standin, 2_000, days_ago=1, key="laptop")
    standin.world.providers.append(
        {
            "id": 1,
            "name": "Work directory",
            "slug": "work",
            "enabled": True,
            "client_id": "cid",
            "authorization_endpoint": "https://work.example/authorize",
            "scopes": "openid",
            "icon": "",
        }
    )


def said(stage: Stage) -> list[str]:
    """Every sentence about a failure that can be seen: the line above the page, and toasts."""
    lines = [str(line.content) for line in stage.app.screen.query(ReadingLine) if line.display]
    return lines + [str(toast.render()) for toast in stage.app.screen.query(Toast)]


async def open_module(stage: Stage, module: str) -> None:
    screen = stage.app.screen
    assert isinstance(screen, Console)
    screen.action_open_module(module)
    await stage.settle()


async def open_page(stage: Stage, page: str) -> None:
    """A tab by its key, or a module by its name."""
    if page in TABS:
        await stage.press(page)
    else:
        await open_module(stage, page)


@pytest.mark.parametrize("page", [*TABS, *MODULES])
async def test_a_page_shows_what_was_read_last_and_when(standin: StandIn, page: str) -> None:
    shown = (TABS | MODULES)[page]
    async with remote_console(standin, patience=IMPATIENT) as stage:
        await open_page(stage, page)
        assert stage.says(shown), stage.text()
        assert said(stage) == []
        standin.faults.is_down = True
        standin.clock.advance(minutes=5)
        await stage.press("f5")
        assert said(stage) == [f"▲ Read 12:00. api.example.com {GONE}"], stage.text()
        assert stage.says(shown), stage.text()
        standin.faults.is_down = False
        await stage.press("f5")
        assert said(stage) == []
        standin.faults.is_down = True
        await stage.press("f5")
        assert said(stage) == [f"▲ Read 12:05. api.example.com {GONE}"]


@pytest.mark.parametrize("page", [page for page in (*TABS, *MODULES) if page != "2"])
async def test_a_page_that_was_never_read_says_why_and_how_to_try_again(standin: StandIn, page: str) -> None:
    shown = (TABS | MODULES)[page]
    async with remote_console(standin, patience=IMPATIENT) as stage:
        standin.faults.is_down = True
        await open_page(stage, page)
        assert said(stage) == [f"▲ Not read yet. api.example.com {GONE}"]
        part = stage.app.screen._part  # type: ignore[attr-defined] # a Console
        assert not any(shown in line for line in stage.text().splitlines()[1:] if part.display), stage.text()
        standin.faults.is_down = False
        await stage.press("f5")
        assert said(stage) == []
        assert stage.says(shown), stage.text()


async def test_a_page_that_was_left_is_read_again_when_it_is_shown(standin: StandIn) -> None:
    async with remote_console(standin, patience=IMPATIENT) as stage:
        standin.faults.is_down = True
        await open_module(stage, "usage-logs")
        assert said(stage)
        standin.faults.is_down = False
        await open_module(stage, "api-keys")
        assert said(stage) == []
        await open_module(stage, "usage-logs")
        assert said(stage) == []
        assert stage.says("stub-model")


async def test_a_title_bar_that_could_not_be_read_again_is_told_and_read_with_the_page(standin: StandIn) -> None:
    async with remote_console(standin, patience=IMPATIENT) as stage:
        standin.faults.html("/api/log/self", times=50)  # the badges read it, the list of keys does not
        standin.clock.advance(minutes=1)
        await open_module(stage, "api-keys")
        assert stage.says("laptop")
        assert [line[:14] for line in said(stage)] == ["▲ Read 12:00. "]
        standin.faults.planned.clear()
        await stage.press("f5")
        assert said(stage) == []


async def test_entries_of_another_filter_are_said_to_be_that(standin: StandIn) -> None:
    async with remote_console(standin, patience=IMPATIENT) as stage:
        await open_module(stage, "usage-logs")
        standin.faults.is_down = True
        await stage.press("slash", *"model:other", "enter")
        assert stage.says("These entries are those of the filter before. Refresh reads it again."), stage.text()
        standin.faults.is_down = False
        await stage.press("f5")
        assert stage.says("No call matches the filter.")


async def test_a_page_that_reads_itself_says_that_it_cannot(standin: StandIn) -> None:
    async with remote_console(standin, patience=IMPATIENT) as stage:
        await open_module(stage, "overview")
        page = stage.app.screen.query_one(OverviewPage)
        standin.faults.is_down = True
        for minutes in (2, 0):
            standin.clock.advance(minutes=minutes)
            page.load_again()
            await stage.settle()
            assert said(stage) == [f"▲ Read 12:00. api.example.com {GONE}"], minutes
        standin.faults.is_down = False
        standin.clock.advance(minutes=2)
        page.load_again()
        await stage.settle()
        assert said(stage) == []


async def test_a_save_is_refused_in_one_sentence_and_what_was_typed_stays() -> None:
    with running(Generation.AUG) as standin:
        async with remote_console(standin, patience=IMPATIENT) as stage:
            await stage.press("3")
            await stage.fill("quota-warning-threshold", "2.50")
            await asyncio.to_thread(standin.close_port)
            await stage.press("ctrl+s")
            refusal = "127.0.0.1 refused the connection. Check the address and the port. Nothing was saved;"
            assert stage.says(refusal), stage.text()
            assert said(stage) == []
            await stage.press("f5")
            assert len(said(stage)) == 1
            assert stage.app.screen.query_one("#quota-warning-threshold", Input).value == "2.50"
            assert stage.says("1 unsaved change")
            await asyncio.to_thread(standin.open_port)
            await stage.press("ctrl+s")
            assert stage.says("Saved."), stage.text()
            assert said(stage) == []
        assert standin.alice.stored()["quota_warning_threshold"] == 1_250_000


async def test_a_save_that_cannot_be_read_back_is_no_conflict_afterwards() -> None:
    with running(Generation.AUG) as standin:
        faults = standin.faults

        def drop_what_follows(stored: Answer) -> Answer:
            faults.drop("/api/user/self", method="GET")
            return stored

        async with remote_console(standin, patience=IMPATIENT) as stage:
            await stage.press("4")
            stage.app.screen.query_one("#accept-unpriced-models", Toggle).value = True
            await stage.settle()
            faults.planned.append(Fault("/api/user/setting", 1, drop_what_follows, is_before=False))
            await stage.press("ctrl+s")
            assert stage.says("The settings were saved, but could not be read again after that."), stage.text()
            assert standin.alice.stored()["accept_unset_model_ratio_model"] is True
            await stage.press("ctrl+s")
            assert stage.says("Saved."), stage.text()
            assert not stage.says("unsaved change")


@pytest.mark.parametrize("trouble", ["html", "proxy_sign_in", "bad_gateway"])
async def test_what_stands_in_front_of_a_server_ends_no_session(standin: StandIn, trouble: str) -> None:
    async with remote_console(standin, patience=IMPATIENT) as stage:
        await stage.press("4")
        match trouble:
            case "html":
                standin.faults.html("/", times=20)
            case "proxy_sign_in":
                standin.faults.proxy_sign_in("/", times=20)
            case _:
                standin.faults.html("/", times=20, status=502)
        await stage.press("f5")
        assert isinstance(stage.app.screen, Console)
        assert len(said(stage)) == 1
        assert said(stage)[0].startswith("▲ Read 12:00. "), said(stage)
        standin.faults.planned.clear()
        await stage.press("f5")
        assert said(stage) == []


async def test_a_start_without_a_network_keeps_the_session_and_is_tried_again(tmp_path: Path) -> None:
    kept = KeptSessions(tmp_path / "remote", make_ring(), random.Random(1))
    with running(Generation.AUG) as standin:
        address = parse_server_address(standin.address)

        def connect(_told: Told) -> RemoteClient:
            return RemoteClient(
                address, transport=Transport(address), kept=kept, patience=IMPATIENT, clock=standin.clock
            )

        client = connect(lambda _wait: None)
        await client.sign_in("alice", PASSWORD)
        await client.aclose()
        before = [path.read_bytes() for path in (tmp_path / "remote").iterdir()]
        await asyncio.to_thread(standin.close_port)
        account = RemoteAccount(address, connect, Options(), resumes="alice", clock=standin.clock)
        app = GatekeyApp(account, ConsoleConfig())
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            stage = Stage(app, pilot, None, standin.clock)
            await stage.settle()
            refused = (
                "▲ Not read yet. 127.0.0.1 refused the connection. Check the address and the port. ^r tries again."
            )
            for key in ("", "f5", "3"):
                await stage.press(*filter(None, [key]))
                assert isinstance(app.screen, Console)
                assert said(stage) == [refused], key
            await open_module(stage, "wallet")
            assert said(stage) == [refused]
            assert [path.read_bytes() for path in (tmp_path / "remote").iterdir()] == before
            await asyncio.to_thread(standin.open_port)
            await stage.press("f5")
            assert said(stage) == []
            assert stage.says("$5.00")
            await stage.until(lambda: app.screen.query_one(TitleBar).summary is not None)
            await open_module(stage, "settings")
            assert stage.says("of $5.00 left"), stage.text()
            assert said(stage) == []
        await account.close()


async def test_the_waits_of_one_page_are_told_once(standin: StandIn) -> None:
    async with remote_console(standin, patience=IMPATIENT) as stage:
        for _ in range(4):
            stage.app.say_wait("The server does not answer. The next try is in 1 s.")
        await stage.settle()
        assert len(said(stage)) == 1
