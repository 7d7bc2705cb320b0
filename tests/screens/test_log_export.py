"""The export of a log from its page: the filter, the format, the progress, and the end of an export."""

import csv
import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from screens.modules.row_export import ExportRows, progress_line
from store.store import Store
from store.usage_pages import UsagePages
from store.values.row_export import ExportProgress
from store.values.usage import Kind, UsageEntry
from tests.harness.consoles import Stage, console
from tests.harness.full_disk import largest_file
from tests.harness.homes import Home
from tests.harness.log_pages import filter_by, open_log
from tests.harness.stores import add_account, make_store

CALLS = 1300


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def store() -> Store:
    store = make_store()
    account = add_account(store)
    with store.database.write() as tx:
        for number in range(CALLS):
            store.usage.append(tx, account.id, UsageEntry(Kind.CONSUMPTION, f"model-{number % 2}", f"k{number % 3}"))
    return store


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def ask(stage: Stage, name: str) -> None:
    await stage.press("e")
    assert isinstance(stage.app.screen, ExportRows)
    await stage.fill("path", name)


async def test_what_is_shown_is_written(store: Store, folder: Path) -> None:
    async with console(store) as stage:
        await open_log(stage)
        await filter_by(stage, "model:model-1")
        await ask(stage, "calls.csv")
        assert stage.says("The entries that match: model:model-1")
        await stage.press("enter")
        assert stage.says(f"{CALLS // 2} rows. Saved to")
    rows = list(csv.DictReader((folder / "calls.csv").read_text().splitlines()))
    assert [row["model"] for row in rows] == ["model-1"] * (CALLS // 2)
    assert [int(row["id"]) for row in rows] == sorted((int(row["id"]) for row in rows), reverse=True)
    assert stat.S_IMODE((folder / "calls.csv").stat().st_mode) == 0o600


@pytest.mark.each_generation
async def test_every_format_is_written_in_each_home(home: Home, folder: Path) -> None:
    for _ in range(3):
        home.record_call("192.0.2.1")
    async with home.console() as stage:
        await open_log(stage)
        for ending in ("csv", "json", "jsonl"):
            await ask(stage, f"calls.{ending}")
            await stage.press("enter")
            assert stage.says("3 rows. Saved to")
            assert not isinstance(stage.app.screen, ExportRows)
    rows = json.loads((folder / "calls.json").read_text())
    assert [(row["model"], row["client_ip"]) for row in rows] == [("m", "192.0.2.1")] * 3
    assert [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()] == rows
    assert [row["id"] for row in csv.DictReader((folder / "calls.csv").read_text().splitlines())] == ["3", "2", "1"]
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in names(folder)} == {0o600}


async def test_the_end_of_the_name_is_the_format(store: Store, folder: Path) -> None:
    async with console(store) as stage:
        await open_log(stage)
        await stage.press("e")
        assert stage.says("usage-logs.csv")
        await stage.press("ctrl+t")
        assert stage.says("usage-logs.json")
        await stage.press("ctrl+t")
        assert stage.says("usage-logs.jsonl")
        await stage.press("ctrl+t", "ctrl+t", "enter")
        await stage.press("e")
        assert stage.says("usage-logs.csv")
        await stage.enter("path", "calls.xlsx")
        assert stage.says("The name ends in the format: .csv, .json, .jsonl.")
    assert len(json.loads((folder / "usage-logs.json").read_text())) == CALLS
    assert names(folder) == ["usage-logs.json"]


async def test_a_name_that_is_taken_is_refused_before_anything_is_read(store: Store, folder: Path) -> None:
    (folder / "calls.csv").write_text("mine")
    async with console(store) as stage:
        await open_log(stage)
        await ask(stage, "calls.csv")
        await stage.press("enter")
        assert stage.says("There is already a file at")
    assert (folder / "calls.csv").read_text() == "mine"


async def test_a_full_disk_is_said_and_leaves_nothing_half(store: Store, folder: Path) -> None:
    async with console(store) as stage:
        await open_log(stage)
        await ask(stage, "calls.json")
        with largest_file(50_000):
            await stage.press("enter")
            assert stage.says("could not be written; is the disk full?")
        assert names(folder) == []
        await stage.press("enter")
        assert stage.says(f"{CALLS} rows. Saved to")
    assert len(json.loads((folder / "calls.json").read_text())) == CALLS


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let the export wait before its third page until this is set."""
    go, real = threading.Event(), UsagePages.page
    read = 0

    def page(self: UsagePages, *arguments: Any, **options: Any) -> Any:
        nonlocal read
        if options.get("limit") == 500:
            read += 1
            if read == 3:
                assert go.wait(60)
        return real(self, *arguments, **options)

    monkeypatch.setattr(UsagePages, "page", page)
    yield go
    go.set()


async def test_an_export_that_is_ended_leaves_no_file(store: Store, folder: Path, held: threading.Event) -> None:
    async with console(store) as stage:
        await open_log(stage)
        await ask(stage, "calls.jsonl")
        await stage.pilot.press("enter")
        await stage.until(lambda: "1,000 written" in stage.text())
        assert stage.says("left")
        await stage.press("escape")
        held.set()
        assert stage.says("The export was ended. No file was written.")
        assert isinstance(stage.app.screen, ExportRows)
        await stage.press("escape")
        assert not isinstance(stage.app.screen, ExportRows)
    assert names(folder) == []


def test_the_progress_has_an_estimate_once_there_is_a_basis_for_it() -> None:
    assert progress_line(ExportProgress(0, 0.0), 5.0).plain.endswith("0%  0 written")
    assert progress_line(ExportProgress(500, 0.25), 5.0).plain.endswith("25%  500 written, about 15 s left")
    assert progress_line(ExportProgress(500, 0.25), 500.0).plain.endswith("about 25 min left")
    assert progress_line(ExportProgress(2000, 1.0), 5.0).plain.count("█") == 24
