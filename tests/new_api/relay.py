"""The relay as far as an account's page needs it: models that answer, fail or have no price, and what a call costs."""

import json
from typing import Any, Final

from tests.new_api.accounts import DISABLED, Account
from tests.new_api.answers import Answer, Refused, done, encoded, plain
from tests.new_api.call import Call, Rule
from tests.new_api.callers import MEMBER

PROMPT: Final = 1000
COMPLETION: Final = 500
UNPRICED_RATIO: Final = 37.5
"""The ratio at which a model without a price is charged, once the account accepts such models."""
BROKEN: Final = "boom-model"
WORDS: Final = ("Hello", " from", " the", " stub", ".")
_USAGE: Final = {"prompt_tokens": PROMPT, "completion_tokens": COMPLETION, "total_tokens": PROMPT + COMPLETION}
_HEAD: Final = {"id": "chatcmpl-stub", "created": 1_700_000_000}


def _error(call: Call, status: int, code: str, sentence: str, **more: str) -> Answer:
    return plain({"error": {"code": code, "message": call.say(sentence), "type": "new_api_error", **more}}, status)


def key_of(call: Call) -> dict[str, Any]:
    """The API key that a call came with; a call without a good one is refused."""
    secret = call.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("sk-")
    key = next((key for key in call.world.keys if key["key"] == secret), None)
    if key is None:
        raise Refused(_said(call, 401, "relay.key-missing" if not secret else "relay.key-unknown"))
    if key["status"] != 1:
        raise Refused(_said(call, 401, "relay.key-status"))
    account = call.world.accounts[key["user_id"]]
    if account.is_deleted:
        raise Refused(_error(call, 500, "", "database.no-row"))
    if account.status == DISABLED:
        raise Refused(_said(call, 403, "relay.banned"))
    return key


def _said(call: Call, status: int, code: str) -> Answer:
    error = {"code": "", "message": call.say_since_august(code), "type": "new_api_error"}
    return plain({"error": error}, status)


def ratio(call: Call, model: str, option: str = "ModelRatio") -> float | None:
    """The price of a model as the administrator has set it, None if there is none."""
    found = json.loads(call.world.options.get(option, "{}")).get(model)
    return float(found) if found is not None else None


def known_models(call: Call) -> list[str]:
    return [model for channel in call.world.channels for model in str(channel["models"]).split(",")]


def chat(call: Call) -> Answer:
    key = key_of(call)
    return _answer(call, call.world.accounts[key["user_id"]], key)


def playground(call: Call) -> Answer:
    """By session, without a key."""
    return _answer(call, call.caller, None)


def _answer(call: Call, account: Account, key: dict[str, Any] | None) -> Answer:
    asked = call.json()
    model = str(asked.get("model", ""))
    accepts_unpriced = bool(account.stored().get("accept_unset_model_ratio_model"))
    price = ratio(call, model)
    if model not in known_models(call):
        sentence = call.say_since_august("relay.no-channel")
        error = {"code": "model_not_found", "message": sentence, "type": "new_api_error"}
        return plain({"error": error}, 503)
    if price is None and not accepts_unpriced:
        error = {"message": call.say_chinese("relay.no-price"), "type": "new_api_error", "param": ""}
        return plain({"error": {**error, "code": "model_price_error"}}, 500 if call.world.is_feb else 400)
    _note(call, account, key, model, is_stream=bool(asked.get("stream")))
    if model == BROKEN:
        error = {"message": call.say("relay.model-server"), "type": "server_error", "param": "", "code": "boom"}
        return plain({"error": error}, 500)
    return _stream(model) if asked.get("stream") else _whole(model)


def _note(call: Call, account: Account, key: dict[str, Any] | None, model: str, *, is_stream: bool) -> None:
    """The entry in the log, and the money."""
    price = ratio(call, model)
    completion = ratio(call, model, "CompletionRatio") or 1
    per_token = UNPRICED_RATIO if price is None else price
    is_broken = model == BROKEN
    cost = 0 if is_broken else int((PROMPT + COMPLETION * completion) * per_token)
    channel = call.world.channels[0]
    entry: dict[str, Any] = {
        "account": account.id,
        "type": 5 if is_broken else 2,
        "created_at": call.world.now(),
        "model_name": model,
        "token_name": key["name"] if key else "",
        "token_id": key["id"] if key else 0,
        "channel": 1,
        "group": account.group,
        "is_stream": is_stream,
        "request_id": call.request_id,
        "quota": cost,
        "ip": call.address if account.stored().get("record_ip_log") else "",
    }
    if is_broken:
        entry["code"] = "relay.model-server"
        entry["other"] = {
            "channel_id": 1,
            "channel_name": channel["name"],
            "channel_type": 1,
            "error_code": "boom",
            "error_type": "openai_error",
            "request_path": call.path,
            "status_code": 500,
        }
    else:
        entry |= {"prompt_tokens": PROMPT, "completion_tokens": COMPLETION}
        entry["other"] = {
            "billing_source": "wallet",
            "cache_ratio": 1,
            "cache_tokens": 0,
            "completion_ratio": int(completion),
            "frt": 25 if is_stream else -1000,
            "group_ratio": 1,
            "model_price": -1,
            "user_group_ratio": -1,
            "model_ratio": int(per_token) if per_token.is_integer() else per_token,
            "request_conversion": ["OpenAI Compatible"],
            "request_path": call.path,
        }
        account.quota -= cost
        account.used_quota += cost
        account.request_count += 1
        if key:
            key["used_quota"] += cost
            key["remain_quota"] -= cost
            key["accessed_time"] = call.world.now()
    call.world.logs.append(entry)


def _whole(model: str) -> Answer:
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}
    answer = {**_HEAD, "object": "chat.completion", "model": model, "choices": [choice], "usage": _USAGE}
    return Answer(encoded(answer), content_type="application/json")


def _stream(model: str) -> Answer:
    head = {**_HEAD, "object": "chat.completion.chunk", "model": model}
    events: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in WORDS
    ]
    events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events.append({**head, "choices": [], "usage": _USAGE})
    lines = tuple(b"data: " + encoded(event) + b"\n\n" for event in events)
    answer = Answer(b"", content_type="text/event-stream", chunks=(*lines, b"data: [DONE]\n\n"))
    return answer.having(Cache_Control="no-cache")


def models_of_key(call: Call) -> Answer:
    key_of(call)
    rows = [
        {"id": name, "object": "model", "created": 1_626_777_600, "owned_by": "custom", "supported_endpoint_types": []}
        for name in sorted(known_models(call))
        if ratio(call, name) is not None
    ]
    return plain({"data": rows, "object": "list", "success": True})


def without_model(call: Call) -> Answer:
    key_of(call)
    return _said(call, 400, "relay.no-model")


def models(call: Call) -> Answer:
    return done(sorted(known_models(call)))


def pricing(call: Call) -> Answer:
    rows = []
    for name in known_models(call):
        price = ratio(call, name)
        shown = UNPRICED_RATIO if price is None else price
        completion = ratio(call, name, "CompletionRatio") or 1
        rows.append(
            {
                "model_name": name,
                "quota_type": 0,
                "model_price": 0,
                "owner_by": "",
                "model_ratio": int(shown) if shown.is_integer() else shown,
                "completion_ratio": int(completion),
                "enable_groups": ["default"],
                "supported_endpoint_types": ["openai"],
            }
        )
    endpoints = {"openai": {"path": "/v1/chat/completions", "method": "POST"}}
    groups = {"auto_groups": ["default"], "group_ratio": {"default": 1, "vip": 1}}
    return plain({**groups, "data": rows, "success": True, "supported_endpoint": endpoints, "usable_group": {}})


RULES: Final = (
    Rule("POST", "/v1/chat/completions", chat),
    Rule("GET", "/v1/models", models_of_key),
    Rule("POST", "/v1/files", without_model),
    Rule("POST", "/pg/chat/completions", playground, MEMBER),
    Rule("GET", "/api/user/models", models, MEMBER),
    Rule("GET", "/api/models", lambda _call: done({"1": ["example-model"]}), MEMBER),
    Rule("GET", "/api/pricing", pricing),
)
