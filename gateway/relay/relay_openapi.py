"""The paths of the relay in the OpenAPI document.

Only the fields that the gateway reads and checks have a schema. All others are listed by name: their values concern the
client and the model server alone.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.openapi_responses import MEANINGS, Schema, error_responses
from gateway.paths import RELAY_PREFIX
from gateway.relay.batches import MAX_LISTED
from gateway.relay.endpoints import BATCHES, ENDPOINTS
from gateway.relay.fields import EXTRA_FIELDS_SETTING, TOOL_TYPES
from gateway.relay.model_response import BATCH_ID
from gateway.relay.request import MAX_CHOICES, MAX_TOKENS, STREAM_OPTIONS, Endpoint
from store.inputs import MAX_MODEL_LENGTH
from store.request_fields import METADATA_KEYS, METADATA_PREFIXES, METADATA_SUFFIX

_MEANINGS: Final[Mapping[int, str]] = {
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
_READ_STATUSES: Final[tuple[int, ...]] = (401, 403, 405, 429, 500, 502, 503, 504)
"""Statuses of responses to a request without a body."""
_WITH_HEADERS: Final = frozenset({401, 405})
_SECURITY: Final[Mapping[str, Any]] = {"security": [{"ApiKey": []}], "tags": ["relay"]}
_REQUEST_ID_HEADER: Final[Mapping[str, Schema]] = {
    "X-Request-Id": {
        "description": "As in the usage log, where a batch goes by its own name.",
        "schema": {"type": "string"},
    }
}
_UNCHECKED: Final[Schema] = {"description": "Read by the model server alone."}
_INVISIBLE: Final = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""Characters that no model name contains, as a regular expression class. `store.text` is the authority."""
_BLANK: Final = " \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
MODEL_NAME: Final = f"^[^{_BLANK}{_INVISIBLE}]([^{_INVISIBLE}]*[^{_BLANK}{_INVISIBLE}])?$"
_MODEL_SCHEMA: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_MODEL_LENGTH,
    "pattern": MODEL_NAME,
    "description": "As the administrator priced it, to the letter: visible characters, and no blank at its ends.",
}
_STREAM_SCHEMAS: Final[Mapping[str, Schema]] = {
    "stream": {"type": ["boolean", "null"], "default": False},
    "stream_options": {
        "type": ["object", "null"],
        "properties": {name: {"type": ["boolean", "null"]} for name in STREAM_OPTIONS},
        "additionalProperties": False,
    },
}
_NO_STREAM_SCHEMAS: Final[Mapping[str, Schema]] = {"stream": {"enum": [False, None], "default": False}}


def _any_case(name: str) -> str:
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in name)


def _tool_schema(kind: str) -> Schema:
    return {
        "type": "object",
        "properties": {"type": {"const": kind}, kind: {}},
        "required": ["type"],
        "additionalProperties": False,
    }


_METADATA_REFUSED: Final = "|".join(
    (
        f"^({'|'.join(map(_any_case, sorted(METADATA_KEYS)))})$",
        f"^({'|'.join(map(_any_case, METADATA_PREFIXES))})",
        f"{_any_case(METADATA_SUFFIX)}$",
    )
)
_OTHERS_REFUSED: Final = f"All others are refused, but those that the administrator adds to `{EXTRA_FIELDS_SETTING}`."
_TOOLS_SCHEMA: Final[Schema] = {
    "type": ["array", "null"],
    "items": {"oneOf": [_tool_schema(kind) for kind in TOOL_TYPES]},
    "description": "Functions and custom tools. Others cost extra and are refused.",
}
_METADATA_SCHEMA: Final[Schema] = {
    "type": ["object", "null"],
    "additionalProperties": {"type": "string"},
    "propertyNames": {"not": {"pattern": _METADATA_REFUSED}},
}


def _integer_or_null(lowest: int, highest: int) -> Schema:
    return {"type": ["integer", "null"], "minimum": lowest, "maximum": highest}


_CHECKED_FIELDS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/chat/completions": {
        "messages": _UNCHECKED,
        "tools": _TOOLS_SCHEMA,
        "metadata": _METADATA_SCHEMA,
        **_STREAM_SCHEMAS,
        "n": _integer_or_null(1, MAX_CHOICES),
        "max_tokens": _integer_or_null(1, MAX_TOKENS),
        "max_completion_tokens": _integer_or_null(1, MAX_TOKENS),
    },
    "/completions": {
        "prompt": _UNCHECKED,
        **_STREAM_SCHEMAS,
        "n": _integer_or_null(1, MAX_CHOICES),
        "best_of": _integer_or_null(1, MAX_CHOICES),
        "max_tokens": _integer_or_null(0, MAX_TOKENS),
    },
    "/embeddings": {"input": _UNCHECKED, **_NO_STREAM_SCHEMAS},
    "/images/generations": {"prompt": _UNCHECKED, **_NO_STREAM_SCHEMAS, "n": _integer_or_null(1, MAX_CHOICES)},
    "/responses": {
        "input": _UNCHECKED,
        "tools": {"type": ["array", "null"], "description": "Tools that the client runs. Others are refused."},
        "metadata": _METADATA_SCHEMA,
        "client_metadata": _METADATA_SCHEMA,
        "store": {"enum": [False, None], "description": "Nothing is stored at the model server."},
        "background": {"enum": [False, None]},
        "previous_response_id": {"type": "null"},
        "conversation": {"type": "null"},
        **_STREAM_SCHEMAS,
        "max_output_tokens": _integer_or_null(1, MAX_TOKENS),
    },
    "/batches": {
        "input_file_id": _UNCHECKED,
        "endpoint": _UNCHECKED,
        "completion_window": _UNCHECKED,
        "metadata": _METADATA_SCHEMA,
        **_NO_STREAM_SCHEMAS,
    },
}
_EXAMPLES: Final[Mapping[str, Schema]] = {
    "/chat/completions": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]},
    "/completions": {"model": "gpt-3.5-turbo-instruct", "prompt": "Hello"},
    "/embeddings": {"model": "text-embedding-3-small", "input": "Hello"},
    "/images/generations": {"model": "gpt-image-1", "prompt": "A horse", "n": 1},
    "/responses": {"model": "gpt-4o-mini", "input": "Hello"},
    "/batches": {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"},
}


def relay_paths() -> dict[str, Schema]:
    """Every path below `RELAY_PREFIX`, with its operations."""
    paths = {RELAY_PREFIX + each.path: {"post": _post_operation(each)} for each in ENDPOINTS}
    name: Schema = {"name": "batch_id", "in": "path", "required": True}
    name["schema"] = {"type": "string", "pattern": f"^{BATCH_ID.pattern}$"}
    paths[f"{RELAY_PREFIX}/batches/{{batch_id}}"] = {
        "get": _get_operation(
            "read_batch", "A batch as it stands at the model server", (*_READ_STATUSES, 400, 404), name
        )
    }
    paths[f"{RELAY_PREFIX}/batches"]["get"] = _list_operation("list_batches", "The account's batches", MAX_LISTED)
    cancelling = _get_operation("cancel_batch", "The batch, which ends soon", (*_READ_STATUSES, 400, 404, 409), name)
    paths[f"{RELAY_PREFIX}/batches/{{batch_id}}/cancel"] = {"post": cancelling}
    paths |= _file_paths()
    listed = _get_operation("list_models", "The models that the account may call", _READ_STATUSES)
    reading = {"operationId": "read_model", "parameters": {"model": "$response.body#/data/0/id"}}
    listed["responses"]["200"]["links"] = {"read": reading}
    paths[f"{RELAY_PREFIX}/models"] = {"get": listed}
    model: Schema = {"name": "model", "in": "path", "required": True, "schema": _MODEL_SCHEMA}
    paths[f"{RELAY_PREFIX}/models/{{model}}"] = {
        "get": _get_operation("read_model", "One such model", (*_READ_STATUSES, 404), model)
    }
    return paths


def served_addresses() -> str:
    """A sentence that names the addresses below `RELAY_PREFIX`."""
    endpoints = {each.path.lstrip("/") for each in ENDPOINTS}
    return f"Below {RELAY_PREFIX}/ are served: {', '.join(sorted(endpoints | {'files', 'models'}))}."


def _file_paths() -> dict[str, Schema]:
    name: Schema = {"name": "file_id", "in": "path", "required": True}
    name["schema"] = {"type": "string", "pattern": f"^{BATCH_ID.pattern}$"}
    statuses = (*_READ_STATUSES, 404)
    form: Schema = {
        "type": "object",
        "required": ["file", "purpose"],
        "properties": {
            "file": {"type": "string", "contentMediaType": "application/octet-stream"},
            "purpose": {"type": "string", "examples": ["batch"]},
        },
    }
    uploading = _get_operation("upload_file", "The file", (*_READ_STATUSES, 400, 409, 413, 415, 422))
    uploading["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    purpose: Schema = {"name": "purpose", "in": "query", "schema": {"type": "string"}}
    order: Schema = {"name": "order", "in": "query", "schema": {"enum": ["asc", "desc"], "default": "desc"}}
    content = _get_operation("read_file_content", "The content of the file", statuses, name)
    content["responses"]["200"]["content"] = {"application/octet-stream": {}}
    deleting = _get_operation("delete_file", "That the file is deleted", (*statuses, 400, 409), name)
    return {
        f"{RELAY_PREFIX}/files": {
            "post": uploading,
            "get": _list_operation("list_files", "The account's files", 10_000, purpose, order),
        },
        f"{RELAY_PREFIX}/files/{{file_id}}": {
            "get": _get_operation("read_file", "One such file", statuses, name),
            "delete": deleting,
        },
        f"{RELAY_PREFIX}/files/{{file_id}}/content": {"get": content},
    }


def _list_operation(name: str, summary: str, most: int, *parameters: Schema) -> Schema:
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": most}}
    after = {"name": "after", "in": "query", "schema": {"type": "string", "pattern": f"^{BATCH_ID.pattern}$"}}
    after["description"] = "`last_id` of the page before."
    return _get_operation(name, summary, (*_READ_STATUSES, 400, 404), limit, after, *parameters)


def _post_operation(endpoint: Endpoint) -> Schema:
    path, is_task = endpoint.path, endpoint is BATCHES
    properties = {**({} if is_task else {"model": _MODEL_SCHEMA}), **_CHECKED_FIELDS[path]}
    names = {"enum": sorted(endpoint.fields), "description": _OTHERS_REFUSED}
    schema: Schema = {"type": "object", "properties": properties, "propertyNames": names}
    schema |= {} if is_task else {"required": ["model"]}
    content: Schema = {"application/json": {"schema": {"type": "object"}}}
    if "stream_options" in properties:
        content["text/event-stream"] = {}
    answer: Schema = {
        "description": "The model server's answer.",
        "content": content,
        "headers": dict(_REQUEST_ID_HEADER),
    }
    if is_task:
        reading = {"operationId": "read_batch", "parameters": {"batch_id": "$response.body#/id"}}
        answer["links"] = {"read": reading}
    return {
        **_SECURITY,
        "operationId": f"create{path.replace('/', '_')}",
        "summary": f"OpenAI's {path}",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": _EXAMPLES[path]}},
        },
        "responses": {"200": answer, **error_responses(_MEANINGS, "OpenAiError", with_headers=_WITH_HEADERS)},
    }


def _get_operation(name: str, summary: str, statuses: tuple[int, ...], *parameters: Schema) -> Schema:
    answer: Schema = {"description": summary + ".", "content": {"application/json": {"schema": {"type": "object"}}}}
    answer["headers"] = dict(_REQUEST_ID_HEADER)
    meanings = {status: _MEANINGS[status] for status in sorted(statuses)}
    meanings |= {404: "There is nothing of that name."} if 404 in meanings else {}
    return {
        **_SECURITY,
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": answer, **error_responses(meanings, "OpenAiError", with_headers=_WITH_HEADERS)},
    }
