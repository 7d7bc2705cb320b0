"""The OpenAPI document of all routes.

FastAPI documents the account API. The relay and the passkey page run outside of FastAPI, so their paths are added.
"""

import re
from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.account_schemas import Problem
from gateway.openapi_responses import MEANINGS, Schema, error_responses
from gateway.pages import FINISH_PATH, OPTIONS_PATH, PAGE_PATH, assets
from gateway.problems import PROBLEM_MEDIA_TYPE

SECURITY_SCHEMES: Final[Mapping[str, Schema]] = {
    "SystemAccessToken": {"type": "http", "scheme": "bearer", "description": "Made in the console, in Security."},
    "ApiKey": {"type": "http", "scheme": "bearer", "description": "A key that begins with sk-, as for OpenAI."},
}


def openapi_document(app: FastAPI, relay_paths: Mapping[str, Schema]) -> Schema:
    """The whole document: the routes of `app`, `relay_paths`, and the passkey page."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["paths"] |= {**relay_paths, **_page_paths()}
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update({"Problem": Problem.model_json_schema(), **_SCHEMAS})
    components["securitySchemes"] = dict(SECURITY_SCHEMES)
    return document


def methods_of(document: Schema, path: str) -> str:
    """The methods of `path` as the Allow header lists them (RFC 9110, 10.2.1); empty for an unknown path."""
    operations = document["paths"].get(path) or next(
        (found for template, found in document["paths"].items() if _is_of(path, template)), ()
    )
    methods = {method.upper() for method in operations}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _is_of(path: str, template: str) -> bool:
    """True if `path` is `template` with a value for each name in it. A model's name may contain slashes."""
    pattern = re.escape(template).replace(r"\{model\}", ".+")
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", pattern), path) is not None


def _error_schema(
    title: str, description: str, properties: Mapping[str, Schema], beside: Mapping[str, Schema] | None = None
) -> Schema:
    """A document with one `error` object, whose `properties` are all required, and what may be `beside` it."""
    error = {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": dict(properties),
    }
    return {
        "title": title,
        "description": description,
        "type": "object",
        "required": ["error"],
        "additionalProperties": False,
        "properties": {"error": error, **(beside or {})},
    }


_SCHEMAS: Final[Mapping[str, Schema]] = {
    "OpenAiError": _error_schema(
        "OpenAiError",
        "A failure, in the shape of OpenAI's errors.",
        {
            "message": {"type": "string", "description": "A sentence that a person can act on."},
            "type": {"type": "string"},
            "param": {"type": ["string", "null"], "description": "The field at fault, if there is one."},
            "code": {"type": ["string", "null"], "examples": ["model_not_priced"]},
        },
    ),
    "AnthropicError": _error_schema(
        "AnthropicError",
        "A failure, in the shape of Anthropic's errors.",
        {
            "type": {"type": "string", "examples": ["invalid_request_error"]},
            "message": {"type": "string", "description": "A sentence that a person can act on."},
        },
        {"type": {"const": "error"}, "request_id": {"type": "string"}},
    ),
    "PageRefusal": _error_schema(
        "PageRefusal",
        "A refusal, as the passkey page shows it.",
        {"title": {"type": "string"}, "sentence": {"type": "string"}},
    ),
}


_CODE_SCHEMA: Final[Schema] = {"type": "string", "description": "The code that the console shows."}
_PAGE_MEANINGS: Final[Mapping[int, str]] = {
    401: "The code is unknown or has expired, or the passkey was refused.",
    403: "The administrator has not enabled passkeys, or the page is not where they are configured.",
    409: "The passkey is registered already.",
    413: MEANINGS[413],
    422: "The request does not have the expected fields.",
    429: "There were too many wrong tries from this address.",
    503: MEANINGS[503],
}
_PROBLEM_MEANINGS: Final[Mapping[int, str]] = {405: MEANINGS[405], 500: MEANINGS[500]}


def _page_paths() -> dict[str, Schema]:
    files = {path: {"get": _file_operation(path, asset.media_type)} for path, asset in assets().items()}
    options: Schema = {
        "type": "object",
        "required": ["purpose", "publicKey", "user", "expires_in"],
        "properties": {
            "purpose": {"enum": ["register", "sign-in", "prove"]},
            "publicKey": {"type": "object"},
            "user": {"type": "string"},
            "expires_in": {"type": "integer", "minimum": 1},
        },
    }
    finished: Schema = {"type": "object", "required": ["ok"], "properties": {"ok": {"const": True}}}
    return {
        **files,
        OPTIONS_PATH: {
            "post": _page_operation("passkey_options", "Options for the browser", {"code": _CODE_SCHEMA}, options)
        },
        FINISH_PATH: {
            "post": _page_operation(
                "passkey_finish", "The browser's answer", {"code": _CODE_SCHEMA, "credential": {}}, finished
            )
        },
    }


def _file_operation(path: str, media_type: str) -> Schema:
    name = "page" if path == PAGE_PATH else path.rpartition(".")[2]
    disabled: Schema = {"description": _PAGE_MEANINGS[403], "content": {"text/plain": {"schema": {"type": "string"}}}}
    found: Schema = {"description": "The file.", "content": {media_type: {"schema": {"type": "string"}}}}
    refused = error_responses({**_PROBLEM_MEANINGS, 503: MEANINGS[503]}, "Problem", PROBLEM_MEDIA_TYPE)
    return {
        "operationId": f"passkey_{name}",
        "summary": "A file of the passkey page",
        "tags": ["passkeys"],
        "responses": {"200": found, "403": disabled, **refused},
    }


def _page_operation(name: str, summary: str, properties: Mapping[str, Schema], answer: Schema) -> Schema:
    schema = {"type": "object", "required": list(properties), "properties": dict(properties)}
    success = {"description": summary + ".", "content": {"application/json": {"schema": answer}}}
    refused = error_responses(_PAGE_MEANINGS, "PageRefusal", with_headers=frozenset({429, 503}))
    refused |= error_responses(_PROBLEM_MEANINGS, "Problem", PROBLEM_MEDIA_TYPE)
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["passkeys"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": success, **refused},
    }
