"""The settings sections over HTTP. The version of a section is its entity tag (RFC 9110, 13.1), with an ending while
the site overrides one of its settings: the document says so.

A save names in If-Match the version that it changes, so it overwrites no other save. A change that needs a fresh proof
of identity carries it in the request, because a bearer token proves nothing. Secrets cannot be sent.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from gateway.account_api import ACCOUNT_PATH, READ_STATUSES, SECURITY, as_json, read_for, write_for
from gateway.bearer import bearer_token
from gateway.openapi_responses import problem_responses, whole_schema
from gateway.problems import HttpProblem
from gateway.request_proofs import RequestProofs, proof_missing, read_body
from gateway.services import Services
from gateway.settings_schemas import SCHEMAS, ProofBody, SectionSchemas, to_document, with_change
from store.access_token import TokenHolder
from store.errors import FreshProofRequired
from store.sections import NAMES
from store.site_overrides import site_overrides
from store.token_proofs import Proof
from store.tokens import ACCESS_TOKEN_PREFIX
from store.values.sections import Saved, SettingsConflict

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS: Final = re.compile(rf"{_TAG.pattern}(?:[ \t]*,[ \t]*{_TAG.pattern})*")
_SAVE_STATUSES: Final = (*READ_STATUSES, 412, 413, 415, 422, 428)


def settings_routes(services: Services, proofs: RequestProofs) -> APIRouter:
    """The routes to GET and PUT each section."""
    router = APIRouter(prefix=f"{ACCOUNT_PATH}/settings", tags=["settings"])
    for kind, schemas in SCHEMAS.items():
        _add(router, services, kind, schemas, proofs)
    return router


def _add(router: APIRouter, services: Services, kind: Any, schemas: SectionSchemas, proofs: RequestProofs) -> None:
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
        body = await read_body(request, schemas.change)
        tags = _tags(request, "if-match")
        if not tags:
            raise HttpProblem(428, "Send If-Match with the ETag of the version that you changed.")

        sent: ProofBody | None = getattr(body, "proof", None)
        proof: Proof | None = None

        async def prove() -> None:
            nonlocal proof
            proof = await proofs.check(token, sent)

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
                raise proof_missing(error) from error
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
                "content": {"application/json": {"schema": whole_schema(schemas.change)}},
            },
        },
    )


_ETAG: Final = {"ETag": {"description": "The version of the section.", "schema": {"type": "string"}}}


_IF_MATCH: Final = "The ETag of the version that you changed, or * to save over whichever is there."


def _parameter(name: str, description: str, pattern: str = "") -> dict[str, Any]:
    schema = {"type": "string", **({"pattern": pattern} if pattern else {})}
    return {"name": name, "in": "header", "required": bool(pattern), "description": description, "schema": schema}


def _document(name: str, saved: Saved[Any], overridden: Collection[str]) -> Response:
    document = to_document(saved.section, saved.version, overridden)
    return as_json(document, headers={"ETag": _etag(name, saved.version, overridden)})


def _etag(name: str, version: int, overridden: Collection[str] = ()) -> str:
    return f'"{name}-{version}{"-overridden" if overridden else ""}"'


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
