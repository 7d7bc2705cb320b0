"""Drawings and tasks of a server as entries of a log: pages, and what is filtered by whom."""

from datetime import UTC, datetime

from store.values.usage import Kind, UsageFilter
from tests.harness.remote_consoles import signed_in_account
from tests.harness.standin_rows import add_drawing, add_task
from tests.new_api.running import StandIn

AT = 1_790_000_000
DRAWINGS = UsageFilter(kind=Kind.DRAWING)
TASKS = UsageFilter(kind=Kind.TASK)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


async def test_every_drawing_is_read_once_although_new_ones_come(standin: StandIn) -> None:
    for number in range(1, 61):
        add_drawing(standin, number, at=AT + number)
    async with signed_in_account(standin) as account:
        first = await account.usage_page(DRAWINGS)
        add_drawing(standin, 61, at=4_000_000_000)
        second = await account.usage_page(DRAWINGS, first.next_before)
        assert [row.id for row in (*first.entries, *second.entries)] == list(range(60, 0, -1))
        assert second.next_before is None
    assert standin.unlike_recorded == []


async def test_what_is_told_of_a_drawing(standin: StandIn) -> None:
    add_drawing(standin, 1, at=AT, status="FAILURE", fail_reason="no\x1b[2J", progress="40%")
    add_drawing(standin, 2, at=AT, status="IN_PROGRESS", progress="")
    async with signed_in_account(standin) as account:
        running_one, failed = (await account.usage_page(DRAWINGS)).entries
        assert (failed.at, failed.entry.model, failed.entry.status) == (moment(AT), "IMAGINE", "failed")
        assert (failed.entry.cost_micro_usd, failed.entry.duration_ms) == (100_000, 9_000)
        assert (failed.entry.task_done, failed.entry.task_total) == (40, 100)
        assert failed.entry.detail.startswith("no")
        assert "\x1b" not in failed.entry.detail
        assert (running_one.entry.status, running_one.entry.task_done) == ("in_progress", None)
        assert (running_one.entry.duration_ms, running_one.entry.detail) == (0, "a cat")


async def test_tasks_are_filtered(standin: StandIn) -> None:
    add_task(standin, 1, at=AT)
    add_task(standin, 2, at=AT + 10, status="FAILURE", fail_reason="full")
    add_task(standin, 3, at=AT + 20, properties={"input": "", "origin_model_name": "song-5"})
    async with signed_in_account(standin) as account:

        async def found(**only: object) -> list[int]:
            return [row.id for row in (await account.usage_page(UsageFilter(Kind.TASK, **only))).entries]  # type: ignore[arg-type]

        assert await found() == [3, 2, 1]
        assert await found(statuses=("failed",)) == [2]
        assert await found(statuses=("failed", "completed")) == [3, 2, 1]
        assert await found(models=("MUSIC song-5",)) == [3]
        assert await found(since=moment(AT + 10), until=moment(AT + 20)) == [2]
        assert await found(keys=("laptop",)) == await found(ip="192.0.2.1") == []
        choices = await account.usage_choices()
        assert {"MUSIC", "MUSIC song-5"} <= set(choices.models)
        assert {"completed", "failed", "error", "ok"} <= set(choices.statuses)
    assert standin.unlike_recorded == []
