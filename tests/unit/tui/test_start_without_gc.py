"""The garbage collector rests during a start, works again once the data is open, and is let at what was typed."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import cast

import pytest

from tests.harness.consoles import console
from tui import start_without_gc
from tui.account import AccountService


class Opening:
    """An account whose data opens when `opened` is set."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    async def wait_until_open(self) -> None:
        await self.opened.wait()


@pytest.fixture
def resting() -> Iterator[None]:
    threshold = gc.get_threshold()
    start_without_gc.rest()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("resting")
async def test_it_works_again_once_the_data_is_open_and_passes_over_what_the_start_made() -> None:
    account = Opening()
    waiting = asyncio.ensure_future(start_without_gc.resume_once_open(cast("AccountService", account)))
    await asyncio.sleep(0)
    assert start_without_gc.is_resting()
    account.opened.set()
    await waiting
    assert not start_without_gc.is_resting()
    assert gc.get_freeze_count() > 10_000
    start_without_gc.let_go()
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("resting")
async def test_data_that_does_not_open_does_not_stop_it_for_good() -> None:
    await start_without_gc.resume_once_open(cast("AccountService", Opening()), timeout_s=0)
    assert not start_without_gc.is_resting()


@pytest.mark.usefixtures("resting")
async def test_the_console_lets_it_work_and_gives_it_the_screens_that_go() -> None:
    async with console() as stage:
        assert not start_without_gc.is_resting()
        gc.freeze()
        stage.app.show_sign_in()
        await stage.settle()
        assert gc.get_freeze_count() == 0


def test_a_command_runs_with_it() -> None:
    program = (
        "import gc, sys\n"
        "from tui import command\n"
        "sys.argv = ['gatekey', 'doctor']\n"
        "import tui.commands.doctor as doctor\n"
        "doctor.run = lambda *_: sys.exit(int(not gc.isenabled()))\n"
        "command.main(lambda _: 1, lambda *_: 1)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
