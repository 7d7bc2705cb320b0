"""The logs in every state: full, filtered, wrong, empty, loading, refused, and one call in detail."""

import pytest

from screens.modules.row_export import ExportRows, progress_line
from store.errors import DatabaseBusy
from store.values.row_export import ExportProgress
from tests.harness.consoles import Stage
from tests.harness.log_pages import filter_by, open_log
from tests.snapshots.conftest import Picture
from tests.snapshots.scenes import logged_store
from tests.snapshots.steps import opening

SIZES = [(60, 20), (80, 24), (120, 40), (160, 40)]


@pytest.mark.parametrize("size", SIZES)
def test_calls(picture: Picture, size: tuple[int, int]) -> None:
    """Columns fall away by width; figures stand below each other; no digit is cut off."""
    picture(opening("usage-logs"), store=logged_store(), size=size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("module", ["drawing-logs", "task-logs"])
def test_images_and_tasks(picture: Picture, module: str, size: tuple[int, int]) -> None:
    """Images with their size, tasks with their progress."""
    picture(opening(module), store=logged_store(), size=size)


@pytest.mark.parametrize("theme", ["gatekey-light", "ansi-dark"])
def test_calls_in_other_colours(picture: Picture, theme: str) -> None:
    """The cursor and the states are seen in every theme."""
    picture(opening("usage-logs"), store=logged_store(), theme=theme)


def test_the_oldest_calls(picture: Picture) -> None:
    """The cursor is on the last row, and the line below tells of newer rows."""
    picture(open_log, "end", store=logged_store())


@pytest.mark.parametrize("typed", ["status:ok model:cl", "model:claude since:2x", "s"])
def test_a_filter_is_typed(picture: Picture, typed: str) -> None:
    """What may follow is offered below; a fault is marked below its place once it is entered."""

    async def steps(stage: Stage) -> None:
        await open_log(stage)
        await stage.press("slash")
        await stage.type(typed)
        if "2x" in typed:
            await stage.press("enter")

    picture(steps, store=logged_store())


@pytest.mark.parametrize("text", ["kind:error since:24h", "model:nothing-like-it"])
def test_filtered(picture: Picture, text: str) -> None:
    """The filter stays above the rows, or above the sentence that there are none."""

    async def steps(stage: Stage) -> None:
        await open_log(stage)
        await filter_by(stage, text)

    picture(steps, store=logged_store())


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
@pytest.mark.parametrize("kind", ["call", "error", "image", "task"])
def test_details(picture: Picture, kind: str, size: tuple[int, int]) -> None:
    """Labels in one column, the cost line by line, and what was charged."""

    async def steps(stage: Stage) -> None:
        await open_log(stage)
        await filter_by(stage, f"kind:{kind}")
        await stage.press("enter")

    picture(steps, store=logged_store(), size=size)


def test_export(picture: Picture) -> None:
    """What is exported, and where to."""

    async def steps(stage: Stage) -> None:
        await open_log(stage)
        await filter_by(stage, "kind:error since:24h")
        await stage.press("e")

    picture(steps, store=logged_store())


def test_export_under_way(picture: Picture) -> None:
    """A bar, what was written, and an estimate."""

    async def steps(stage: Stage) -> None:
        await open_log(stage)
        await stage.press("e")
        dialog = stage.app.screen
        assert isinstance(dialog, ExportRows)
        dialog.query_one("#progress").update(progress_line(ExportProgress(412_000, 0.41), 9.0))  # type: ignore[attr-defined]

    picture(steps, store=logged_store())


def test_a_busy_database(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason in full, and how to try again."""

    async def steps(stage: Stage) -> None:
        def busy(*_: object, **__: object) -> None:
            raise DatabaseBusy

        monkeypatch.setattr(stage.store.usage, "page", busy)
        await open_log(stage)

    picture(steps, store=logged_store(), size=(60, 20))


def test_before_the_first_answer(picture: Picture) -> None:
    """A skeleton, and no figure."""

    async def steps(stage: Stage) -> None:
        table = await open_log(stage)
        table._reader.was_read = False
        table.rows.clear()
        table.refresh()

    picture(steps, store=logged_store())
