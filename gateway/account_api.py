"""The account API: routes that a System Access Token may read. Errors become problems (`gateway.problems`)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from gateway.account_schemas import AccountDocument, Kind, QuotaDocument, Timestamp, UsagePageDocument
from gateway.bearer import bearer_token
from gateway.openapi_responses import problem_responses
from gateway.services import Services
from store.access_token import TokenHolder
from store.errors import InvalidToken
from store.export_rows import call_row
from store.money import type_usd
from store.sessions import digest
from store.tokens import ACCESS_TOKEN_PREFIX
from store.usage_keyset import MAX_PAGE_SIZE
from store.usage_pages import PAGE_SIZE
from store.values import usage
from store.values.usage import UsageFilter, UsagePage

T = TypeVar("T")
ACCOUNT_PATH: Final = "/api/account"
CREDENTIAL_NAME: Final = "a System Access Token"
SECURITY: Final[dict[str, Any]] = {"security": [{"SystemAccessToken": []}]}


READ_STATUSES: Final = (401, 403, 405, 429, 500, 503)


class AuthorizedSession:
    """The token of a request, and its holder once it is authenticated."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.holder: TokenHolder | None = None


async def read_for(services: Services, request: Request, work: Callable[[Connection, TokenHolder], T]) -> T:
    """Run the read `work` for the holder of the request's token, in the transaction that authenticated the token."""
    async with _counted_session(services, request, is_save=False) as session:

        def read() -> T:
            with services.store.access_token.reading(session.token) as (tx, holder):
                session.holder = holder
                return work(tx, holder)

        return await services.threads.read(read)


async def write_for(
    services: Services,
    request: Request,
    work: Callable[[Connection, TokenHolder], T],
    *,
    first: Callable[[], Awaitable[None]] | None = None,
) -> T:
    """Run the write `work` for the holder of the request's token, in the transaction that authenticated the token.

    `first` is awaited before the transaction, after the request is counted.
    """
    async with _counted_session(services, request, is_save=True) as session:
        if first is not None:
            await first()

        def write(tx: Connection) -> T:
            holder = session.holder = services.store.access_token.holder(tx, session.token, to_write=True)
            return work(tx, holder)

        return await services.threads.write(write)


@asynccontextmanager
async def _counted_session(services: Services, request: Request, *, is_save: bool) -> AsyncIterator[AuthorizedSession]:
    """The token of `request`, counted against the rate limit. An invalid token undoes the count; any other result is
    logged."""
    session = AuthorizedSession(bearer_token(request.scope, ACCESS_TOKEN_PREFIX, CREDENTIAL_NAME))
    counted = services.rates.count_token(session.token, await services.site.current(), is_save=is_save)
    try:
        yield session
    except InvalidToken:
        services.rates.forget(digest(session.token), counted)
        raise
    finally:
        holder = session.holder
        if holder is not None:
            services.rates.remember(session.token, holder.account_id)
            address = await services.address(request.scope) if holder.records_ip else ""
            services.log_account(request.scope, holder, address)


def account_routes(services: Services) -> APIRouter:
    """Routes for the account, its quota and its usage log."""
    router = APIRouter(prefix=ACCOUNT_PATH, tags=["account"])
    store = services.store

    @router.get("", response_model=AccountDocument, responses=problem_responses(*READ_STATUSES), openapi_extra=SECURITY)
    async def read_account(request: Request) -> Response:
        """The account that the token belongs to."""
        holder = await read_for(services, request, lambda _, holder: holder)
        return as_json(
            {
                "name": holder.name,
                "email": holder.email,
                "role": holder.role,
                "created_at": holder.created_at.isoformat(),
            }
        )

    @router.get(
        "/quota", response_model=QuotaDocument, responses=problem_responses(*READ_STATUSES), openapi_extra=SECURITY
    )
    async def read_quota(request: Request) -> Response:
        """The amount left, the amount held for calls under way, and the amount used."""
        state = await read_for(services, request, lambda tx, holder: store.quota.state_of(tx, holder.account_id))
        return as_json(
            {
                "remaining_usd": type_usd(state.remaining_micro_usd),
                "held_usd": type_usd(state.held_micro_usd),
                "used_usd": type_usd(state.used_micro_usd),
            }
        )

    @router.get(
        "/usage",
        response_model=UsagePageDocument,
        responses=problem_responses(*READ_STATUSES, 422),
        openapi_extra=SECURITY,
    )
    async def read_usage(
        request: Request,
        kind: Annotated[Kind | None, Query(description="Only entries of this kind.")] = None,
        model: Annotated[str | None, Query(max_length=200, description="Only calls to exactly this model.")] = None,
        key: Annotated[
            str | None, Query(max_length=64, description="Only calls with the API key of this name.")
        ] = None,
        status: Annotated[str | None, Query(max_length=40, description="Only calls that ended with this.")] = None,
        ip: Annotated[str | None, Query(max_length=64, description="Only calls from this client address.")] = None,
        since: Annotated[Timestamp | None, Query(description="Only calls from this time on (RFC 3339).")] = None,
        until: Annotated[Timestamp | None, Query(description="Only calls before this time (RFC 3339).")] = None,
        cursor: Annotated[
            str | None, Query(pattern="^[1-9][0-9]{0,17}$", description="`next_cursor` of the page before.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Entries per page.")] = PAGE_SIZE,
    ) -> Response:
        """The usage log, from new to old. Any page costs the same, however long the log is.

        A page of several filters may have few entries or none, although another follows: read on while there is a
        `next_cursor`.
        """
        only = UsageFilter(
            kind=usage.Kind(kind) if kind else None,
            models=() if model is None else (model,),
            keys=() if key is None else (key,),
            statuses=() if status is None else (status,),
            ip=ip,
            since=since,
            until=until,
        )

        def read(tx: Connection, holder: TokenHolder) -> UsagePage:
            before = int(cursor) if cursor else None
            return store.usage.page_of(tx, holder.account_id, only, before=before, limit=limit)

        page = await read_for(services, request, read)
        following = None if page.next_before is None else str(page.next_before)
        entries = [call_row(logged) for logged in page.entries]
        return as_json({"entries": entries, "next_cursor": following})

    return router


def as_json(document: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> Response:
    """A 200 response that must not be cached."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, headers={"Cache-Control": "no-store", **(headers or {})}, media_type="application/json")
