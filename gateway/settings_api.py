"""The settings sections over HTTP. The version of a section is its entity tag (RFC 9110, 13.1), with an ending while
the site overrides one of its settings: the document says so.

A save names in If-Match the version that it changes, so it overwrites no other save. A change that needs a fresh proof
of identity carries it in the request, because a bearer token proves nothing. Secrets cannot be sent.
"""

import asyncio
import json
import re
from collections.abc import Collection
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection
from starlette.responses import Response

from gateway.account_api import ACCOUNT_PATH, READ_STATUSES, SECURITY, as_json, read_for, write_for
from gateway.bearer import bearer_token
from gateway.openapi_responses import problem_responses
from gateway.problems import HttpProblem, InvalidDocument, validation_problem
from gateway.services import Services
from gateway.settings_schemas import SCHEMAS, ProofBody, SectionSchemas, to_document, with_change
from store.access_token import TokenHolder
from store.attempts import FAILED_ATTEMPT_ERRORS
from store.errors import FreshProofRequired, GatekeyError, NotEnabled
from store.sections import NAMES
from store.site_overrides import site_overrides
from store.token_proofs import Proof
from store.tokens import ACCESS_TOKEN_PREFIX
from store.values.sections import Saved, SettingsConflict

B = TypeVar("B", bound=BaseModel)
_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS: Final = re.compile(rf"{_TAG.pattern}(?:[ \t]*,[ \t]*{_TAG.pattern})*")
_SEND_PROOF: Final = "Send proof with the request: your password, or the code that your authenticator app shows."
_MAX_CONCURRENT_PROOFS: Final = 2
_PROOF_ERRORS: Final[tuple[type[GatekeyError], ...]] = (*FAILED_ATTEMPT_ERRORS, NotEnabled)
_SAVE_STATUSES: Final = (*READ_STATUSES, 412, 413, 415, 422, 428)


def settings_routes(services: Services) -> APIRouter:
    """The routes to GET and PUT each section."""
    router = APIRouter(prefix=f"{ACCOUNT_PATH}/settings", tags=["settings"])
    # All sections share it: a check of a password is slow and occupies a thread of the store.
    proving = asyncio.Semaphore(_MAX_CONCURRENT_PROOFS)
    for kind, schemas in SCHEMAS.items():
        _add(router, services, kind, schemas, proving)
    return router


def _add(router: APIRouter, services: Services, kind: Any, schemas: SectionSchemas, proving: asyncio.Semaphore) -> None:
    name = NAMES[kind]
    settings = services.store.settings

    def overridden(tx: Connection) -> tuple[str, ...]:
        return tuple(site_overrides(services.store.site, tx, kind))

    async def read_section(request: Request) -> Response:
        def read(tx: Connection, holder: TokenHolder) -> tuple[Saved[Any], tuple[str, ...]]:
            return settings.read(tx, holder.account_id, kind), overridden(tx)

        saved, names = await read_for(services, request, read)
        tag = _etag(name, saved.version, names)
        if {tag, "*"} & _tags(request, "if-none-match", weak=True):
            return Response(status_code=304, headers={"ETag": tag})
        return _document(name, saved, names)

    async def save_section(request: Request) -> Response:
        token = bearer_token(request.scope, ACCESS_TOKEN_PREFIX, "a System Access Token")
        body = await _body(request, schemas.change)
        tags = _tags(request, "if-match")
        if not tags:
            raise HttpProblem(428, "Send If-Match with the ETag of the version that you changed.")

        sent: ProofBody | None = getattr(body, "proof", None)
        proof: Proof | None = None

        async def prove() -> None:
            nonlocal proof
            if sent is not None:
                async with proving:
                    proof = await _proof(services, token, sent)

        def save(tx: Connection, holder: TokenHolder) -> tuple[Saved[Any], tuple[str, ...]]:
            now = settings.read(tx, holder.account_id, kind)
            # What the site overrides is no part of what a save replaces.
            if tags.isdisjoint({"*", _etag(name, now.version), _etag(name, now.version, (name,))}):
                raise SettingsConflict(now)
            try:
                saved: Saved[Any] = settings.save_with_token(
                    tx, holder, with_change(now.section, body), now.version, proof
                )
            except FreshProofRequired as error:
                raise FreshProofRequired(f"{error} {_SEND_PROOF}", field="proof") from error
            return saved, overridden(tx)

        return _document(name, *await write_for(services, request, save, first=prove))

    title = name.capitalize()
    router.add_api_route(
        f"/{name}",
        read_section,
        methods=["GET"],
        operation_id=f"read_{name}",
        summary=f"Read {title}",
        response_model=schemas.document,
        responses={
            **problem_responses(*READ_STATUSES),
            200: {"headers": _ETAG},
            304: {"description": "Not changed.", "headers": _ETAG},
        },
        openapi_extra={**SECURITY, "parameters": [_parameter("If-None-Match", "An ETag you have.")]},
    )
    router.add_api_route(
        f"/{name}",
        save_section,
        methods=["PUT"],
        operation_id=f"save_{name}",
        summary=f"Save {title}",
        response_model=schemas.document,
        responses={**problem_responses(*_SAVE_STATUSES), 200: {"headers": _ETAG}},
        openapi_extra={
            **SECURITY,
            "parameters": [_parameter("If-Match", _IF_MATCH, rf'^(\*|"{name}-[0-9]{{1,9}}(-overridden)?")$')],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _schema(schemas.change)}},
            },
        },
    )


_ETAG: Final = {"ETag": {"description": "The version of the section.", "schema": {"type": "string"}}}


_IF_MATCH: Final = "The ETag of the version that you changed, or * to save over whichever is there."


def _parameter(name: str, description: str, pattern: str = "") -> dict[str, Any]:
    schema = {"type": "string", **({"pattern": pattern} if pattern else {})}
    return {"name": name, "in": "header", "required": bool(pattern), "description": description, "schema": schema}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of `model` in one piece: a reference would point into the whole OpenAPI document."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})
    written = json.dumps(schema)
    for name, part in parts.items():
        written = written.replace(json.dumps({"$ref": f"#/$defs/{name}"}), json.dumps(part))
    whole: dict[str, Any] = json.loads(written)
    return whole


def _document(name: str, saved: Saved[Any], overridden: Collection[str]) -> Response:
    document = to_document(saved.section, saved.version, overridden)
    return as_json(document, headers={"ETag": _etag(name, saved.version, overridden)})


def _etag(name: str, version: int, overridden: Collection[str] = ()) -> str:
    return f'"{name}-{version}{"-overridden" if overridden else ""}"'


async def _proof(services: Services, token: str, sent: ProofBody) -> Proof:
    """The checked proof of a request. Raises `FreshProofRequired` for a wrong one, and the errors of `store.proofs`."""
    password, code, proofs = sent.password, sent.code, services.store.proofs
    if (password is None) == (code is None):
        raise InvalidDocument("proof holds either a password or a code.", field="proof")
    try:
        if password is not None:
            return await services.threads.read(lambda: proofs.with_password(token, password))
        return await services.threads.read(lambda: proofs.with_code(token, code or ""))
    except _PROOF_ERRORS as error:
        # The token is right, so this is not 401.
        raise FreshProofRequired(str(error), field="proof") from error


async def _body(request: Request, model: type[B]) -> B:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" or "content-encoding" in request.headers:
        raise HttpProblem(415, "Send the body as application/json, without a content encoding.")
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        raise validation_problem(error.errors(include_input=False, include_url=False, include_context=False)) from error


def _tags(request: Request, header: str, *, weak: bool = False) -> frozenset[str]:
    """The entity tags of a header, or `*` (RFC 9110, 8.8.3.2). Weak tags count only if `weak`.

    A header that is no list of tags gives one tag that no version has.
    """
    text = ",".join(request.headers.getlist(header)).strip()
    if text == "*":
        return frozenset({"*"})
    if not _TAGS.fullmatch(text):
        return frozenset({""} if text else ())
    found = {f'"{match[2]}"' for match in _TAG.finditer(text) if weak or not match[1]}
    return frozenset(found or ({""} if text else ()))
