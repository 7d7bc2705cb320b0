"""The paths of the relay in the OpenAPI document.

Only the fields that the gateway reads and checks have a schema. All others are listed by name: their values concern the
client and the model server alone.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.openapi_responses import MEANINGS, Schema, error_responses
from gateway.paths import RELAY_PREFIX
from gateway.relay.api_form import ApiForm
from gateway.relay.batches import MAX_LISTED
from gateway.relay.endpoints import BATCHES, ENDPOINTS
from gateway.relay.model_response import BATCH_ID
from gateway.relay.request import Endpoint
from gateway.relay.request_schemas import CHECKED_FIELDS, EXAMPLES, MODEL_SCHEMA, OTHERS_REFUSED
from gateway.relay.responses_request import RESPONSE_ID

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
_ORDER: Final[Schema] = {"name": "order", "in": "query", "schema": {"enum": ["asc", "desc"], "default": "desc"}}
_REQUEST_ID_HEADER: Final[Mapping[str, Schema]] = {
    "X-Request-Id": {
        "description": "As in the usage log, where a batch goes by its own name.",
        "schema": {"type": "string"},
    }
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
    paths |= _response_paths()
    listed = _get_operation("list_models", "The models that the account may call", _READ_STATUSES)
    reading = {"operationId": "read_model", "parameters": {"model": "$response.body#/data/0/id"}}
    listed["responses"]["200"]["links"] = {"read": reading}
    paths[f"{RELAY_PREFIX}/models"] = {"get": listed}
    model: Schema = {"name": "model", "in": "path", "required": True, "schema": MODEL_SCHEMA}
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
    content = _get_operation("read_file_content", "The content of the file", statuses, name)
    content["responses"]["200"]["content"] = {"application/octet-stream": {}}
    deleting = _get_operation("delete_file", "That the file is deleted", (*statuses, 400, 409), name)
    return {
        f"{RELAY_PREFIX}/files": {
            "post": uploading,
            "get": _list_operation("list_files", "The account's files", 10_000, purpose, _ORDER),
        },
        f"{RELAY_PREFIX}/files/{{file_id}}": {
            "get": _get_operation("read_file", "One such file", statuses, name),
            "delete": deleting,
        },
        f"{RELAY_PREFIX}/files/{{file_id}}/content": {"get": content},
    }


def _response_paths() -> dict[str, Schema]:
    name: Schema = {"name": "response_id", "in": "path", "required": True}
    name["schema"] = {"type": "string", "pattern": f"^{RESPONSE_ID.pattern}$"}
    statuses = (*_READ_STATUSES, 400, 404, 409)
    stream: Schema = {"name": "stream", "in": "query", "schema": {"enum": ["false"]}}
    items = _list_operation("list_input_items", "The input of a stored response", 100, name, _ORDER)
    return {
        f"{RELAY_PREFIX}/responses/{{response_id}}": {
            "get": _get_operation("read_response", "A response that was stored", statuses, name, stream),
            "delete": _get_operation("delete_response", "That the response is deleted", statuses, name),
        },
        f"{RELAY_PREFIX}/responses/{{response_id}}/input_items": {"get": items},
    }


def _list_operation(name: str, summary: str, most: int, *parameters: Schema) -> Schema:
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": most}}
    after = {"name": "after", "in": "query", "schema": {"type": "string", "pattern": f"^{BATCH_ID.pattern}$"}}
    after["description"] = "`last_id` of the page before."
    return _get_operation(name, summary, (*_READ_STATUSES, 400, 404), limit, after, *parameters)


def _post_operation(endpoint: Endpoint) -> Schema:
    path, is_task, is_messages = endpoint.path, endpoint is BATCHES, endpoint.form is ApiForm.MESSAGES
    errors = "AnthropicError" if is_messages else "OpenAiError"
    properties = {**({} if is_task else {"model": MODEL_SCHEMA}), **CHECKED_FIELDS[path]}
    names = {"enum": sorted(endpoint.fields), "description": OTHERS_REFUSED}
    schema: Schema = {"type": "object", "properties": properties, "propertyNames": names}
    needed = [] if is_task or endpoint.default_model else ["model"]
    needed += sorted(endpoint.files - {"mask"})
    schema |= {"required": needed} if needed else {}
    request: Schema = {"schema": schema, **({"example": EXAMPLES[path]} if path in EXAMPLES else {})}
    content: Schema = {"application/json": {"schema": {"type": "object"}}}
    content |= {each: {} for each in endpoint.other_answers}
    if endpoint.may_stream:
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
        "summary": f"{'Anthropic' if is_messages else 'OpenAI'}'s {path}",
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data" if endpoint.files else "application/json": request},
        },
        "responses": {"200": answer, **error_responses(_MEANINGS, errors, with_headers=_WITH_HEADERS)},
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
