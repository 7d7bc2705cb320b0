"""The relay's part of the OpenAPI document.

Of a body only what the gateway itself reads and checks is described; of everything else the name alone, for its value
is between the client and the model server.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.openapi_responses import MEANINGS, Schema, refusals
from gateway.relay.fields import EXTRA, TOOLS
from gateway.relay.relay import TASK_NAME
from gateway.relay.request import BATCHES, ENDPOINTS, MOST_CHOICES, MOST_TOKENS, STREAM_OPTIONS, Endpoint
from gateway.relay.routes import PREFIX
from store.inputs import LONGEST_MODEL
from store.request_fields import IN_METADATA, METADATA_BEGINNINGS, METADATA_ENDING

_RELAYED: Final[Mapping[int, str]] = {
    400: "The body could not be read, or the gateway or the model server refused a field; `param` names it.",
    401: "There is no valid API key in the Authorization header (RFC 6750).",
    403: "The account is suspended (`account_suspended`), or the model has no price and the account does not accept "
    "such models (`model_not_priced`), or the model server refuses, and says why.",
    404: "The model server knows no such model.",
    405: MEANINGS[405],
    409: "The model server refused: it conflicts with something there.",
    413: MEANINGS[413],
    415: MEANINGS[415],
    422: "A field does not fit; `param` names it.",
    429: "The quota or the key's own limit is used up (`insufficient_quota`), the account has too many calls under way "
    "(`rate_limit_exceeded`), or the model server asks to slow down.",
    500: MEANINGS[500],
    502: "The model server could not be reached, failed, or answered with something that is no answer.",
    503: "There is no model server, it is too busy, or the data cannot be reached at the moment.",
    504: "The model server did not answer in time.",
}
_ASKED: Final[tuple[int, ...]] = (401, 403, 405, 429, 500, 502, 503, 504)
"""What a request without a body can be answered with."""
_WITH_HEADERS: Final = frozenset({401, 405})
_KEY: Final[Mapping[str, Any]] = {"security": [{"ApiKey": []}], "tags": ["relay"]}
_REQUEST_ID: Final[Mapping[str, Schema]] = {
    "X-Request-Id": {
        "description": "As in the usage log, where a batch goes by its own name.",
        "schema": {"type": "string"},
    }
}
_ANYTHING: Final[Schema] = {"description": "Read by the model server alone."}
_INVISIBLE: Final = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""What no model's name holds, as a pattern has it; `store.text` decides."""
_BLANK: Final = " \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
MODEL_NAME: Final = f"^[^{_BLANK}{_INVISIBLE}]([^{_INVISIBLE}]*[^{_BLANK}{_INVISIBLE}])?$"
_MODEL: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_MODEL,
    "pattern": MODEL_NAME,
    "description": "As the administrator priced it, to the letter: visible characters, and no blank at its ends.",
}
_STREAM: Final[Mapping[str, Schema]] = {
    "stream": {"type": ["boolean", "null"], "default": False},
    "stream_options": {
        "type": ["object", "null"],
        "properties": {name: {"type": ["boolean", "null"]} for name in STREAM_OPTIONS},
        "additionalProperties": False,
    },
}
_NO_STREAM: Final[Mapping[str, Schema]] = {"stream": {"enum": [False, None], "default": False}}


def _in_any_letters(name: str) -> str:
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in name)


def _tool(kind: str) -> Schema:
    return {
        "type": "object",
        "properties": {"type": {"const": kind}, kind: {}},
        "required": ["type"],
        "additionalProperties": False,
    }


_METADATA_REFUSED: Final = "|".join(
    (
        f"^({'|'.join(map(_in_any_letters, sorted(IN_METADATA)))})$",
        f"^({'|'.join(map(_in_any_letters, METADATA_BEGINNINGS))})",
        f"{_in_any_letters(METADATA_ENDING)}$",
    )
)
_NAMES: Final = f"All others are refused, but those that the administrator adds to `{EXTRA}`."
_TOOLS: Final[Schema] = {
    "type": ["array", "null"],
    "items": {"oneOf": [_tool(kind) for kind in TOOLS]},
    "description": "Functions and custom tools. Others cost extra and are refused.",
}
_METADATA: Final[Schema] = {
    "type": ["object", "null"],
    "additionalProperties": {"type": "string"},
    "propertyNames": {"not": {"pattern": _METADATA_REFUSED}},
}


def _whole(lowest: int, highest: int) -> Schema:
    return {"type": ["integer", "null"], "minimum": lowest, "maximum": highest}


_FIELDS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/chat/completions": {
        "messages": _ANYTHING,
        "tools": _TOOLS,
        "metadata": _METADATA,
        **_STREAM,
        "n": _whole(1, MOST_CHOICES),
        "max_tokens": _whole(1, MOST_TOKENS),
        "max_completion_tokens": _whole(1, MOST_TOKENS),
    },
    "/completions": {
        "prompt": _ANYTHING,
        **_STREAM,
        "n": _whole(1, MOST_CHOICES),
        "best_of": _whole(1, MOST_CHOICES),
        "max_tokens": _whole(0, MOST_TOKENS),
    },
    "/embeddings": {"input": _ANYTHING, **_NO_STREAM},
    "/images/generations": {"prompt": _ANYTHING, **_NO_STREAM, "n": _whole(1, MOST_CHOICES)},
    "/batches": {
        "input_file_id": _ANYTHING,
        "endpoint": _ANYTHING,
        "completion_window": _ANYTHING,
        "metadata": _METADATA,
        **_NO_STREAM,
    },
}
_EXAMPLES: Final[Mapping[str, Schema]] = {
    "/chat/completions": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]},
    "/completions": {"model": "gpt-3.5-turbo-instruct", "prompt": "Hello"},
    "/embeddings": {"model": "text-embedding-3-small", "input": "Hello"},
    "/images/generations": {"model": "gpt-image-1", "prompt": "A horse", "n": 1},
    "/batches": {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"},
}


def relay_paths() -> dict[str, Schema]:
    """Every address below `PREFIX`, with its operations."""
    paths = {PREFIX + each.path: {"post": _relayed(each)} for each in ENDPOINTS}
    name: Schema = {"name": "batch_id", "in": "path", "required": True}
    name["schema"] = {"type": "string", "pattern": f"^{TASK_NAME.pattern}$"}
    paths[f"{PREFIX}/batches/{{batch_id}}"] = {
        "get": _read("read_batch", "A batch as it stands at the model server", (*_ASKED, 400, 404), name)
    }
    listed = _read("list_models", "The models that the account may call", _ASKED)
    reading = {"operationId": "read_model", "parameters": {"model": "$response.body#/data/0/id"}}
    listed["responses"]["200"]["links"] = {"read": reading}
    paths[f"{PREFIX}/models"] = {"get": listed}
    model: Schema = {"name": "model", "in": "path", "required": True, "schema": _MODEL}
    paths[f"{PREFIX}/models/{{model}}"] = {"get": _read("read_model", "One such model", (*_ASKED, 404), model)}
    return paths


def _relayed(endpoint: Endpoint) -> Schema:
    path, is_task = endpoint.path, endpoint is BATCHES
    properties = {**({} if is_task else {"model": _MODEL}), **_FIELDS[path]}
    names = {"enum": sorted(endpoint.fields), "description": _NAMES}
    schema: Schema = {"type": "object", "properties": properties, "propertyNames": names}
    schema |= {} if is_task else {"required": ["model"]}
    content: Schema = {"application/json": {"schema": {"type": "object"}}}
    if "stream_options" in properties:
        content["text/event-stream"] = {}
    answer: Schema = {"description": "The model server's answer.", "content": content, "headers": dict(_REQUEST_ID)}
    if is_task:
        reading = {"operationId": "read_batch", "parameters": {"batch_id": "$response.body#/id"}}
        answer["links"] = {"read": reading}
    return {
        **_KEY,
        "operationId": f"create{path.replace('/', '_')}",
        "summary": f"OpenAI's {path}",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": _EXAMPLES[path]}},
        },
        "responses": {"200": answer, **refusals(_RELAYED, "OpenAiError", with_headers=_WITH_HEADERS)},
    }


def _read(name: str, summary: str, statuses: tuple[int, ...], *parameters: Schema) -> Schema:
    answer: Schema = {"description": summary + ".", "content": {"application/json": {"schema": {"type": "object"}}}}
    answer["headers"] = dict(_REQUEST_ID)
    meanings = {status: _RELAYED[status] for status in sorted(statuses)}
    meanings |= {404: "There is nothing of that name."} if 404 in meanings else {}
    return {
        **_KEY,
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": answer, **refusals(meanings, "OpenAiError", with_headers=_WITH_HEADERS)},
    }
