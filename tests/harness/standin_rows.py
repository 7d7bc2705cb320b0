"""Rows of a stand-in's lists, as its two generations answer them."""

from typing import Any

from tests.new_api.running import StandIn


def add_call(
    standin: StandIn, quota: int, *, days_ago: int = 0, key: str = "laptop", model: str = "stub-model"
) -> None:
    """A call of alice in the log."""
    at = standin.world.now() - days_ago * 86_400
    facts = {"model_name": model, "token_name": key, "prompt_tokens": 1000, "completion_tokens": 500, "quota": quota}
    standin.world.log(standin.alice, 2, "", **facts, created_at=at)


def add_error(standin: StandIn, *, days_ago: int = 0) -> None:
    """A call of alice that failed, on a server that logs such calls."""
    at = standin.world.now() - days_ago * 86_400
    facts = {"model_name": "boom-model", "token_name": "laptop", "created_at": at}
    standin.world.log(standin.alice, 5, "relay.model-server", **facts)


def add_drawing(standin: StandIn, number: int, *, at: int, status: str = "SUCCESS", **more: Any) -> None:
    """A drawing of alice that was submitted at Unix time `at`; this log keeps milliseconds."""
    ended = at * 1000 + 9_000 if status in ("SUCCESS", "FAILURE") else 0
    row = {"id": number, "code": 1, "user_id": standin.alice.id, "action": "IMAGINE", "mj_id": f"drawing-{number}"}
    row |= {"prompt": "a cat", "prompt_en": "", "description": "", "state": "", "submit_time": at * 1000}
    row |= {"start_time": at * 1000, "finish_time": ended, "image_url": "", "status": status, "progress": "100%"}
    standin.world.drawings.append({**row, "fail_reason": "", "channel_id": 1, "quota": 50_000, **more})


def add_task(standin: StandIn, number: int, *, at: int, status: str = "SUCCESS", **more: Any) -> None:
    """A task of alice that was submitted at Unix time `at`."""
    ended = at + 90 if status in ("SUCCESS", "FAILURE") else 0
    row = {"id": number, "created_at": at, "updated_at": at, "task_id": f"task-{number}", "platform": "suno"}
    row |= {"user_id": standin.alice.id, "group": "default", "channel_id": 1, "quota": 25_000, "action": "MUSIC"}
    row |= {"status": status, "fail_reason": "", "submit_time": at, "start_time": at, "finish_time": ended}
    standin.world.tasks.append({**row, "progress": "100%", "properties": {"input": ""}, "data": None, **more})


def add_payments(standin: StandIn, count: int) -> None:
    """Payments of alice over 1, 2, 3 ... dollars. The first was not completed."""
    for number in range(1, count + 1):
        row = {"id": number, "user_id": standin.alice.id, "amount": number, "money": 7.3, "trade_no": f"t{number}"}
        row |= {"payment_method": "alipay", "create_time": standin.world.now(), "complete_time": 0}
        standin.world.topups.append({**row, "status": "success" if number > 1 else "pending"})
