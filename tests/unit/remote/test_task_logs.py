"""The drawing log and the task log."""

from datetime import UTC, datetime, timedelta

from remote.client import RemoteClient
from remote.task_logs import TaskFilter
from tests.harness.scripted_server import ScriptedServer, answer

AT = datetime(2026, 11, 26, 1, 44, 8, tzinfo=UTC)
SECONDS = int(AT.timestamp())


async def test_both_logs_are_read_in_their_units_of_time(server: ScriptedServer, client: RemoteClient) -> None:
    drawing = {"mj_id": "d1", "action": "IMAGINE", "status": "SUCCESS", "submit_time": SECONDS * 1000, "quota": 5}
    drawing |= {"finish_time": 0, "progress": "100%", "prompt": "a cat\x1b[2J", "fail_reason": ""}
    server.script("GET /api/mj/self", answer({"total": 1, "items": [drawing]}))
    (entry,) = (await client.task_logs.drawings()).entries
    assert (entry.task_id, entry.submitted_at, entry.finished_at, entry.cost_micro_usd) == ("d1", AT, None, 10)
    assert "\x1b" not in entry.prompt
    task = {"task_id": "t1", "action": "MUSIC", "status": "FAILURE", "submit_time": SECONDS, "fail_reason": "no"}
    server.script("GET /api/task/self", answer({"total": 60, "items": [task]}))
    page = await client.task_logs.tasks()
    assert (page.entries[0].task_id, page.entries[0].submitted_at, page.entries[0].fail_reason) == ("t1", AT, "no")
    assert page.has_next


async def test_a_filter_is_asked_for_in_the_unit_of_each_log_and_what_is_not_asked_for_is_left_out(
    server: ScriptedServer, client: RemoteClient
) -> None:
    only = TaskFilter(AT, AT + timedelta(hours=1), "SUCCESS")
    server.script("GET /api/mj/self", answer({"total": 0, "items": []}), answer({"total": 0, "items": []}))
    await client.task_logs.drawings(only=only)
    asked = dict(server.seen[-1].url.params)
    assert asked["start_timestamp"] == str(SECONDS * 1000)
    assert asked["end_timestamp"] == str((SECONDS + 3600) * 1000)
    assert "status" not in asked
    await client.task_logs.drawings()
    assert dict(server.seen[-1].url.params) == {"p": "1", "page_size": "50"}
    server.script("GET /api/task/self", answer({"total": 0, "items": []}))
    await client.task_logs.tasks(2, 10, only)
    assert dict(server.seen[-1].url.params) == {
        "p": "2",
        "page_size": "10",
        "start_timestamp": str(SECONDS),
        "end_timestamp": str(SECONDS + 3600),
        "status": "SUCCESS",
    }
