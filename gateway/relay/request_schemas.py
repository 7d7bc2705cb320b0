"""The schemas of requests in the OpenAPI document: those of the fields that the gateway reads and checks."""

from collections.abc import Mapping
from typing import Final

from gateway.openapi_responses import Schema
from gateway.relay.fields import EXTRA_FIELDS_SETTING, TOOL_TYPES
from gateway.relay.request import MAX_CHOICES, MAX_TOKENS, STREAM_OPTIONS
from store.inputs import MAX_MODEL_LENGTH
from store.request_fields import METADATA_KEYS, METADATA_PREFIXES, METADATA_SUFFIX

_UNCHECKED: Final[Schema] = {"description": "Read by the model server alone."}
_INVISIBLE: Final = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""Characters that no model name contains, as a regular expression class. `store.text` is the authority."""
_BLANK: Final = " \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
MODEL_NAME: Final = f"^[^{_BLANK}{_INVISIBLE}]([^{_INVISIBLE}]*[^{_BLANK}{_INVISIBLE}])?$"
MODEL_SCHEMA: Final[Schema] = {
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
OTHERS_REFUSED: Final = f"All others are refused, but those that the administrator adds to `{EXTRA_FIELDS_SETTING}`."
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


_FILE: Final[Schema] = {"type": "string", "contentMediaType": "application/octet-stream"}
_FORM_SCHEMAS: Final[Mapping[str, Schema]] = {"stream": {"enum": ["false"], "default": "false"}}
_MESSAGE_FIELDS: Final[Mapping[str, Schema]] = {
    "messages": _UNCHECKED,
    "tools": {"type": ["array", "null"], "description": "Tools that the client runs. Others are refused."},
}
_STREAM_SCHEMAS_OF_MESSAGES: Final[Mapping[str, Schema]] = {
    "stream": {"type": ["boolean", "null"], "default": False},
    "metadata": _METADATA_SCHEMA,
}
CHECKED_FIELDS: Final[Mapping[str, Mapping[str, Schema]]] = {
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
        "store": {"type": ["boolean", "null"], "default": False},
        "background": {"enum": [False, None]},
        "previous_response_id": {"type": ["string", "null"], "description": "A stored response of the account."},
        "conversation": {"type": "null"},
        **_STREAM_SCHEMAS,
        "max_output_tokens": _integer_or_null(1, MAX_TOKENS),
    },
    "/messages": {**_MESSAGE_FIELDS, **_STREAM_SCHEMAS_OF_MESSAGES, "max_tokens": _integer_or_null(1, MAX_TOKENS)},
    "/messages/count_tokens": {**_MESSAGE_FIELDS, **_NO_STREAM_SCHEMAS},
    "/moderations": {"input": _UNCHECKED, **_NO_STREAM_SCHEMAS},
    "/audio/speech": {
        "input": {"type": "string"},
        "instructions": {"type": "string"},
        "voice": {"type": ["string", "null"]},
        "stream_format": {"enum": ["audio", None]},
        "speed": {"type": ["number", "null"], "minimum": 0.25, "maximum": 4},
        **_NO_STREAM_SCHEMAS,
    },
    "/audio/transcriptions": {"file": _FILE, **_FORM_SCHEMAS},
    "/audio/translations": {"file": _FILE, **_FORM_SCHEMAS},
    "/images/edits": {"image": _FILE, "mask": _FILE, "n": {"type": "integer"}, **_FORM_SCHEMAS},
    "/images/variations": {"image": _FILE, "n": {"type": "integer"}, **_FORM_SCHEMAS},
    "/batches": {
        "input_file_id": _UNCHECKED,
        "endpoint": {
            "type": "string",
            "not": {"pattern": _any_case("responses")},
            "description": "Any but /v1/responses.",
        },
        "completion_window": _UNCHECKED,
        "metadata": _METADATA_SCHEMA,
        **_NO_STREAM_SCHEMAS,
    },
}
EXAMPLES: Final[Mapping[str, Schema]] = {
    "/chat/completions": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]},
    "/completions": {"model": "gpt-3.5-turbo-instruct", "prompt": "Hello"},
    "/embeddings": {"model": "text-embedding-3-small", "input": "Hello"},
    "/images/generations": {"model": "gpt-image-1", "prompt": "A horse", "n": 1},
    "/responses": {"model": "gpt-4o-mini", "input": "Hello"},
    "/messages": {"model": "claude-sonnet-5", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hello"}]},
    "/messages/count_tokens": {"model": "claude-sonnet-5", "messages": [{"role": "user", "content": "Hello"}]},
    "/moderations": {"model": "omni-moderation-latest", "input": "Hello"},
    "/audio/speech": {"model": "gpt-4o-mini-tts", "input": "Hello", "voice": "alloy"},
    "/batches": {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"},
}
