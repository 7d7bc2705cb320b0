"""The export of the logs and of the payments of an account on a server."""

import asyncio
import csv
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from screens.modules.row_export import ExportRows
from store.values.row_export import ExportFormat, ExportProgress
from store.values.usage import EVERYTHING
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage
from tests.harness.log_pages import filter_by, open_log
from tests.harness.remote_consoles import remote_console, signed_in_account
from tests.harness.standin_rows import add_call, add_drawing, add_payments
from tests.new_api.running import StandIn

AT = 1_790_000_000
LOG = "/api/log/self"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@asynccontextmanager
async def asked_for_the_log(standin: StandIn) -> AsyncIterator[Stage]:
    """The dialog of an export of 230 calls, which take several reads."""
    for _ in range(230):
        add_call(standin, 500)
    async with remote_console(standin) as stage:
        await open_log(stage)
        await stage.press("e")
        yield stage


def reads_under_way() -> list[str]:
    """The reads of an export that wait for the server."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    return [name for one in coroutines if "Reads" in (name := getattr(one, "__qualname__", ""))]


async def test_what_the_log_shows_is_written_with_all_its_pages(standin: StandIn, folder: Path) -> None:
    for number in range(230):
        add_call(standin, 500, model=f"model-{number % 2}")
    async with remote_console(standin) as stage:
        await open_log(stage)
        await filter_by(stage, "model:model-1")
        await stage.press("e")
        assert stage.says("The entries that match: model:model-1")
        await stage.press("enter")
        assert stage.says("115 rows. Saved to")
    path = folder / "usage-logs.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [int(row["id"]) for row in rows] == list(range(115, 0, -1))
    assert {(row["model"], row["cost_usd"]) for row in rows} == {("model-1", "0.001")}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_drawings_are_written(standin: StandIn, folder: Path) -> None:
    for number in range(1, 121):
        add_drawing(standin, number, at=AT + number)
    async with remote_console(standin) as stage:
        await open_log(stage, "drawing-logs")
        await stage.press("e")
        await stage.press("ctrl+t", "enter")
        assert stage.says("120 rows. Saved to")
    rows = json.loads((folder / "drawing-logs.json").read_text())
    assert [row["id"] for row in rows] == list(range(120, 0, -1))


async def test_the_payments_are_written_without_a_balance(standin: StandIn, folder: Path) -> None:
    add_payments(standin, 130)
    async with remote_console(standin) as stage:
        await open_module(stage, "wallet")
        assert stage.says("Export e")
        await stage.press("e")
        assert stage.says("Every payment that the server lists.")
        await stage.press("enter")
        assert stage.says("130 rows. Saved to")
    rows = list(csv.DictReader((folder / "payments.csv").read_text().splitlines()))
    assert [int(row["number"]) for row in rows] == list(range(130, 0, -1))
    assert {row["balance_usd"] for row in rows} == {""}
    assert (rows[0]["amount_usd"], rows[0]["reason"]) == ("130.00", "alipay · success")


async def test_an_export_that_is_ended_waits_for_no_answer_and_leaves_no_file(standin: StandIn, folder: Path) -> None:
    async with asked_for_the_log(standin) as stage:
        answer = standin.faults.slow(LOG, times=9, after=1)
        try:
            await stage.pilot.press("enter")
            await stage.until(lambda: "43%" in stage.text())
            await stage.until(reads_under_way)
            await stage.press("escape")
            assert stage.says("The export was ended. No file was written.")
            assert isinstance(stage.app.screen, ExportRows)
            await stage.until(lambda: not reads_under_way())
        finally:
            answer.set()
        await stage.press("escape")
    assert names(folder) == []


async def test_an_error_of_the_server_is_told_and_leaves_no_file(standin: StandIn, folder: Path) -> None:
    async with asked_for_the_log(standin) as stage:
        standin.faults.html(LOG)
        await stage.press("enter")
        assert isinstance(stage.app.screen, ExportRows)
        assert not stage.says("Saved to")
        assert names(folder) == []
        await stage.press("enter")
        assert stage.says("230 rows. Saved to")
    assert names(folder) == ["usage-logs.csv"]


async def test_no_files_means_no_key_and_no_button(standin: StandIn) -> None:
    async with remote_console(standin, no_files=True) as stage:
        await open_log(stage)
        assert not stage.says("Export")
        await stage.press("e")
        assert not isinstance(stage.app.screen, ExportRows)
        await open_module(stage, "wallet")
        assert not stage.says("Export")
        await stage.press("e")
        assert not isinstance(stage.app.screen, ExportRows)


async def test_the_pages_on_screen_do_not_shift_by_an_export(standin: StandIn, folder: Path) -> None:
    for _ in range(120):
        add_call(standin, 500, days_ago=1)
    async with signed_in_account(standin) as account:
        first = await account.usage_page(EVERYTHING)
        standin.clock.advance(minutes=1)
        add_call(standin, 500)
        told: list[ExportProgress] = []
        done = await account.export_usage(folder / "calls.jsonl", ExportFormat.JSONL, EVERYTHING, told.append)
        assert done.rows == 121
        assert [one.share for one in told] == sorted(one.share for one in told)
        assert told[-1] == ExportProgress(121, 1.0)
        second = await account.usage_page(EVERYTHING, first.next_before)
        assert second.entries[0].id == first.entries[-1].id - 1
