"""The usage log, its sums, and the two routes that an API key may ask."""

import fnmatch
import json
from typing import Any, Final

from tests.new_api.accounts import ADMIN
from tests.new_api.answers import Answer, done, failed, page_of, plain
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER
from tests.new_api.messages import sentence
from tests.new_api.relay import key_of
from tests.new_api.world import World

CONSUMED: Final = 2
MONTH_S: Final = 2_592_000
MINUTE_S: Final = 60
HOUR_S: Final = 3600
_EMPTY: Final = {
    "token_name": "",
    "model_name": "",
    "quota": 0,
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "use_time": 0,
    "is_stream": False,
    "channel": 0,
    "channel_name": "",
    "token_id": 0,
    "group": "",
    "ip": "",
}


def _row(world: World, number: int, entry: dict[str, Any]) -> dict[str, Any]:
    """`id` is the number of the row in the answer, not one of the database."""
    account = world.accounts[entry["account"]]
    code = entry.get("code", "")
    language = "en" if code.startswith("log.signed-in") or entry["type"] == 5 else "zh"
    row: dict[str, Any] = {"id": number, "user_id": account.id, "created_at": entry["created_at"]}
    row |= {"type": entry["type"], "content": sentence(code, language) if code else "", "username": account.username}
    row |= {name: entry.get(name, value) for name, value in _EMPTY.items()}
    if "request_id" in entry:
        row["request_id"] = entry["request_id"]
    other = entry.get("other")
    return row | {"other": json.dumps(other, separators=(",", ":"), sort_keys=True)}


def _rows(call: Call, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_row(call.world, number, entry) for number, entry in enumerate(entries, 1)]


def _found(call: Call) -> list[dict[str, Any]]:
    """The caller's entries that fit the query, the newest first."""
    query = call.query
    kind, start, end = call.number("type"), call.number("start_timestamp"), call.number("end_timestamp")
    model = query.get("model_name", "").replace("%", "*")
    found = []
    for entry in reversed(call.world.logs):
        is_fitting = (
            entry["account"] == call.caller.id
            and kind in (0, entry["type"])
            and entry["created_at"] >= start
            and (not end or entry["created_at"] <= end)
            and (not model or fnmatch.fnmatchcase(entry.get("model_name", ""), model))
            and all(query.get(name, "") in ("", entry.get(name)) for name in ("token_name", "group", "request_id"))
        )
        if is_fitting:
            found.append(entry)
    return found


def list_logs(call: Call) -> Answer:
    number, size = call.page()
    page = page_of(_found(call), number, size)
    return done(page | {"items": _rows(call, page["items"])})


def sums(call: Call) -> Answer:
    """Money of the whole range; calls and tokens of the last minute."""
    consumed = [entry for entry in _found(call) if entry["type"] == CONSUMED]
    recent = [entry for entry in consumed if entry["created_at"] > call.world.now() - MINUTE_S]
    tokens = sum(entry["prompt_tokens"] + entry["completion_tokens"] for entry in recent)
    return done({"quota": sum(entry["quota"] for entry in consumed), "rpm": len(recent), "tpm": tokens})


def by_hour(call: Call) -> Answer:
    start, end = call.number("start_timestamp"), call.number("end_timestamp")
    if end - start > MONTH_S:
        return failed(call.say_chinese("data.range"))
    mine = [row for row in call.world.usage_by_hour if row["user_id"] == call.caller.id]
    return done([row for row in mine if start <= row["created_at"] <= end])


def count_hours(world: World) -> None:
    """Fill the statistics by hour from the log, as the server does every few minutes."""
    rows: dict[tuple[int, str, int], dict[str, Any]] = {}
    for entry in world.logs:
        if entry["type"] == CONSUMED:
            hour = entry["created_at"] // HOUR_S * HOUR_S
            row = rows.setdefault((entry["account"], entry["model_name"], hour), _hour(world, entry, hour))
            row["token_used"] += entry["prompt_tokens"] + entry["completion_tokens"]
            row["count"] += 1
            row["quota"] += entry["quota"]
    world.usage_by_hour = [{"id": number, **row} for number, row in enumerate(rows.values(), 1)]


def _hour(world: World, entry: dict[str, Any], hour: int) -> dict[str, Any]:
    account = world.accounts[entry["account"]]
    row = {"user_id": account.id, "username": account.username, "model_name": entry["model_name"], "created_at": hour}
    return {**row, "token_used": 0, "count": 0, "quota": 0}


def usage_of_key(call: Call) -> Answer:
    key = key_of(call)
    data = {
        "expires_at": max(key["expired_time"], 0),
        "model_limits": {},
        "model_limits_enabled": False,
        "name": key["name"],
        "object": "token_usage",
        "total_available": key["remain_quota"],
        "total_granted": key["remain_quota"] + key["used_quota"],
        "total_used": key["used_quota"],
        "unlimited_quota": key["unlimited_quota"],
    }
    return plain({"code": True, "data": data, "message": "ok"})


def logs_of_key(call: Call) -> Answer:
    key = key_of(call)
    return done(_rows(call, [entry for entry in reversed(call.world.logs) if entry.get("token_id") == key["id"]]))


def all_logs(call: Call) -> Answer:
    number, size = call.page()
    page = page_of(call.world.logs[::-1], number, size)
    return done(page | {"items": _rows(call, page["items"])})


RULES: Final = (
    Rule("GET", "/api/log/self", list_logs, MEMBER),
    Rule("GET", "/api/log/self/stat", sums, MEMBER),
    Rule("GET", "/api/log/self/search", lambda call: failed(call.say_chinese("log.search-is-gone")), MEMBER),
    Rule("GET", "/api/log/", all_logs, ADMIN),
    Rule("GET", "/api/data/self", by_hour, MEMBER),
    Rule("GET", "/api/usage/token/", usage_of_key),
    Rule("GET", "/api/log/token", logs_of_key),
)
