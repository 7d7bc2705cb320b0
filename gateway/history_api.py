"""Routes for an account's lists: the ledger, the prices of models, the activity and the deliveries, by keyset pages."""

from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from gateway.account_api import ACCOUNT_PATH, READ_STATUSES, SECURITY, as_json, read_for
from gateway.history_schemas import (
    ActivityPageDocument,
    DeliveryPageDocument,
    LedgerPageDocument,
    PricePageDocument,
)
from gateway.openapi_responses import problem_responses
from gateway.services import Services
from store.access_token import TokenHolder
from store.export_rows import change_row
from store.inputs import MAX_MODEL_LENGTH
from store.money import type_usd
from store.text import is_sanitized
from store.values.audit import Event
from store.values.billing import ModelPrice
from store.values.ledger import LedgerPage
from store.values.notifications import DeliveryPage, LoggedDelivery

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 500
Cursor: TypeAlias = Annotated[
    str | None, Query(pattern="^[1-9][0-9]{0,17}$", description="`next_cursor` of the page before.")
]
NameCursor: TypeAlias = Annotated[
    str | None, Query(max_length=MAX_MODEL_LENGTH, description="`next_cursor` of the page before.")
]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Entries per page.")]
_PAGE: Final[dict[str, Any]] = {"responses": problem_responses(*READ_STATUSES, 422), "openapi_extra": SECURITY}


def history_routes(services: Services) -> APIRouter:
    """Routes for the ledger, the prices, the activity and the deliveries of an account."""
    router = APIRouter(prefix=ACCOUNT_PATH, tags=["account"])
    store = services.store

    @router.get("/ledger", response_model=LedgerPageDocument, **_PAGE)
    async def read_ledger(request: Request, cursor: Cursor = None, limit: Limit = PAGE_SIZE) -> Response:
        """Every change of the balance, from new to old, exact to a millionth of a dollar."""

        def read(tx: Connection, holder: TokenHolder) -> LedgerPage:
            return store.ledger.page_of(tx, holder.account_id, before=_number(cursor), limit=limit)

        page = await read_for(services, request, read)
        return as_json(
            {
                "entries": [change_row(entry) for entry in page.entries],
                "next_cursor": _cursor(page.next_before),
            }
        )

    @router.get("/prices", response_model=PricePageDocument, **_PAGE)
    async def read_prices(request: Request, cursor: NameCursor = None, limit: Limit = PAGE_SIZE) -> Response:
        """The prices of models, by name."""

        def read(tx: Connection, _: TokenHolder) -> list[ModelPrice]:
            if cursor is not None and not is_sanitized(cursor):
                return []  # no model has such a name
            return store.pricing.page_of(tx, after=cursor or "", limit=limit + 1)

        prices = await read_for(services, request, read)
        following = prices[limit - 1].model if len(prices) > limit else None
        return as_json({"prices": [_price(price) for price in prices[:limit]], "next_cursor": following})

    @router.get("/activity", response_model=ActivityPageDocument, **_PAGE)
    async def read_activity(request: Request, cursor: Cursor = None, limit: Limit = PAGE_SIZE) -> Response:
        """The account's activity: each act and who did it, from new to old."""

        def read(tx: Connection, holder: TokenHolder) -> list[Event]:
            return store.audit.page(tx, holder.account_id, before=_number(cursor), limit=limit + 1)

        events = await read_for(services, request, read)
        following = events[limit - 1].sequence if len(events) > limit else None
        return as_json({"events": [_event(event) for event in events[:limit]], "next_cursor": _cursor(following)})

    @router.get("/deliveries", response_model=DeliveryPageDocument, **_PAGE)
    async def read_deliveries(request: Request, cursor: Cursor = None, limit: Limit = PAGE_SIZE) -> Response:
        """The notifications of the account on each channel, from new to old."""

        def read(tx: Connection, holder: TokenHolder) -> DeliveryPage:
            return store.deliveries.page_of(tx, holder.account_id, before=_number(cursor), limit=limit)

        page = await read_for(services, request, read)
        return as_json(
            {"deliveries": [_delivery(one) for one in page.deliveries], "next_cursor": _cursor(page.next_before)}
        )

    return router


def _number(cursor: str | None) -> int | None:
    return int(cursor) if cursor else None


def _cursor(following: int | None) -> str | None:
    return None if following is None else str(following)


def _price(price: ModelPrice) -> dict[str, Any]:
    cached = price.cached_input_per_million
    return {
        "model": price.model,
        "input_usd_per_million_tokens": type_usd(price.input_per_million),
        "cached_input_usd_per_million_tokens": None if cached is None else type_usd(cached),
        "output_usd_per_million_tokens": type_usd(price.output_per_million),
        "request_usd": type_usd(price.per_request),
        "max_output_tokens": price.max_output_tokens,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "number": event.sequence,
        "at": event.at.isoformat(),
        "tag": event.tag,
        "actor": event.actor,
        "source": event.source,
        "detail": dict(event.detail),
    }


def _delivery(delivery: LoggedDelivery) -> dict[str, Any]:
    last = delivery.last_attempt_at
    return {
        "id": delivery.id,
        "channel": delivery.channel.value,
        "kind": delivery.kind,
        "state": delivery.state.value,
        "created_at": delivery.created_at.isoformat(),
        "last_attempt_at": None if last is None else last.isoformat(),
        "attempts": delivery.attempts,
        "error": delivery.error,
    }
