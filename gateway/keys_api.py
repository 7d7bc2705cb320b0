"""API keys over HTTP: list, create, read, change, rotate and revoke them.

A change that lowers a safeguard needs a proof of identity in the request (`gateway.request_proofs`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.responses import Response

from gateway.account_api import ACCOUNT_PATH, CREDENTIAL_NAME, READ_STATUSES, SECURITY, as_json, read_for, write_for
from gateway.bearer import bearer_token
from gateway.keys_schemas import (
    ApiKeyChange,
    ApiKeyCreation,
    ApiKeyDocument,
    ApiKeyLimitsBody,
    ApiKeyListDocument,
    ApiKeyRotation,
    NewApiKeyDocument,
)
from gateway.openapi_responses import problem_responses, whole_schema
from gateway.request_proofs import RequestProofs, proof_missing, read_body
from gateway.services import Services
from gateway.settings_schemas import ProofBody
from store.access_token import TokenHolder
from store.api_key_acts import KeyActor
from store.errors import FreshProofRequired, InvalidExpiry, InvalidInput
from store.key_documents import key_document
from store.money import parse_usd
from store.token_proofs import Proof
from store.tokens import ACCESS_TOKEN_PREFIX
from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, LimitPeriod, NewApiKey

T = TypeVar("T")
KeyId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_FIELDS: Final = {
    "api-key-name": "name",
    "api-key-expiry": "expires_at",
    "api-key-limit": "spend_limit_usd",
    "api-key-period": "limit_period",
    "api-key-models": "allowed_models",
    "api-key-networks": "allowed_networks",
    "api-key-rate": "requests_per_minute",
    "api-key-overlap": "overlap_minutes",
}
"""The fields of the documents, by those of the store's errors."""
_WRITE_STATUSES: Final = (*READ_STATUSES, 404, 409, 413, 415, 422)


def key_routes(services: Services, proofs: RequestProofs) -> APIRouter:
    """The routes of an account's API keys."""
    router = APIRouter(prefix=f"{ACCOUNT_PATH}/keys", tags=["keys"])
    acts, now = services.store.api_keys.acts, services.store.context.now

    async def act(request: Request, sent: ProofBody | None, work: Callable[[Connection, KeyActor], T]) -> T:
        """Run `work` for the holder of the request's token, with the checked proof of the request."""
        token = bearer_token(request.scope, ACCESS_TOKEN_PREFIX, CREDENTIAL_NAME)
        proof: Proof | None = None

        async def prove() -> None:
            nonlocal proof
            proof = await proofs.check(token, sent)

        def write(tx: Connection, holder: TokenHolder) -> T:
            try:
                return work(tx, services.store.api_keys.actor_with_token(tx, holder, proof))
            except FreshProofRequired as error:
                raise proof_missing(error) from error
            except InvalidInput as error:
                error.field = _FIELDS.get(error.field, error.field)
                raise

        return await write_for(services, request, write, first=prove)

    @router.get(
        "", response_model=ApiKeyListDocument, responses=problem_responses(*READ_STATUSES), openapi_extra=SECURITY
    )
    async def list_api_keys(request: Request) -> Response:
        """The API keys of the account, with what they may do and what they spent."""
        keys = await read_for(services, request, lambda tx, holder: acts.list(tx, holder.account_id))
        return as_json({"keys": [key_document(key, now()) for key in keys]})

    @router.post("", status_code=201, response_model=NewApiKeyDocument, **_writes(ApiKeyCreation))
    async def create_api_key(request: Request) -> Response:
        """Create an API key, which is returned this once. It needs a proof."""
        body = await read_body(request, ApiKeyCreation)
        limits = _limits(body, ApiKeyLimits())
        made = await act(request, body.proof, lambda tx, actor: acts.create(tx, actor, body.name, limits))
        return _made(made, now(), status=201)

    @router.get(
        "/{key_id}",
        response_model=ApiKeyDocument,
        responses=problem_responses(*READ_STATUSES, 404, 422),
        openapi_extra=SECURITY,
    )
    async def read_api_key(request: Request, key_id: KeyId) -> Response:
        """One API key, revoked or not."""
        key = await read_for(services, request, lambda tx, holder: acts.read(tx, holder.account_id, key_id))
        return as_json(key_document(key, now()))

    @router.patch("/{key_id}", response_model=ApiKeyDocument, **_writes(ApiKeyChange))
    async def change_api_key(request: Request, key_id: KeyId) -> Response:
        """Change the fields that are sent; they hold from the next request on. Loosening a limit needs a proof."""
        body = await read_body(request, ApiKeyChange)

        def change(tx: Connection, actor: KeyActor) -> ApiKeyInfo:
            before = acts.read(tx, actor.account_id, key_id)
            name = before.name if body.name is None else body.name
            after = acts.edit(tx, actor, key_id, name, _limits(body, before.limits))
            if body.disabled is not None and body.disabled != (after.disabled_at is not None):
                after = (acts.disable if body.disabled else acts.enable)(tx, actor, key_id)
            return after

        return as_json(key_document(await act(request, body.proof, change), now()))

    @router.post("/{key_id}/rotate", response_model=NewApiKeyDocument, **_writes(ApiKeyRotation))
    async def rotate_api_key(request: Request, key_id: KeyId) -> Response:
        """Make a new secret for an API key, which is returned this once. It needs a proof."""
        body = await read_body(request, ApiKeyRotation)
        made = await act(
            request,
            body.proof,
            lambda tx, actor: acts.rotate(tx, actor, key_id, overlap_minutes=body.overlap_minutes),
        )
        return _made(made, now())

    @router.post(
        "/{key_id}/revoke",
        response_model=ApiKeyDocument,
        responses=problem_responses(*READ_STATUSES, 404, 422),
        openapi_extra=SECURITY,
    )
    async def revoke_api_key(request: Request, key_id: KeyId) -> Response:
        """Refuse an API key for ever. It stays in the list."""

        def revoke(tx: Connection, actor: KeyActor) -> ApiKeyInfo:
            acts.revoke(tx, actor, key_id)
            return acts.read(tx, actor.account_id, key_id)

        return as_json(key_document(await act(request, None, revoke), now()))

    return router


def _writes(body: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": whole_schema(body)}}
    return {
        "responses": problem_responses(*_WRITE_STATUSES),
        "openapi_extra": {**SECURITY, "requestBody": {"required": True, "content": content}},
    }


def _limits(body: ApiKeyLimitsBody, before: ApiKeyLimits) -> ApiKeyLimits:
    """`before` with the limits that `body` sends. Raises `InvalidExpiry`."""
    sent = body.model_fields_set
    limit = before.spend_limit_micro_usd
    if "spend_limit_usd" in sent:
        text = body.spend_limit_usd
        limit = None if text is None else parse_usd(text, places=6, field="spend_limit_usd")
    models, networks = body.allowed_models, body.allowed_networks
    return ApiKeyLimits(
        expires_at=_in_utc(body.expires_at) if "expires_at" in sent else before.expires_at,
        spend_limit_micro_usd=limit,
        limit_period=LimitPeriod(body.limit_period) if "limit_period" in sent else before.limit_period,
        allowed_models=(None if models is None else tuple(models))
        if "allowed_models" in sent
        else before.allowed_models,
        allowed_networks=(None if networks is None else tuple(networks))
        if "allowed_networks" in sent
        else before.allowed_networks,
        requests_per_minute=body.requests_per_minute if "requests_per_minute" in sent else before.requests_per_minute,
    )


def _in_utc(at: datetime | None) -> datetime | None:
    try:
        return None if at is None else at.astimezone(UTC)
    except OverflowError as error:  # the first or last day there is, in another zone
        raise InvalidExpiry(field="expires_at") from error


def _made(made: NewApiKey, now: datetime, *, status: int = 200) -> Response:
    response = as_json({**key_document(made.info, now), "key": made.key})
    response.status_code = status
    return response
