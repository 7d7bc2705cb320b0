"""Rows of the usage log as values, and values as rows of the log and parameters of its totals."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row

from store.db_enums import db_enum
from store.text import sanitize
from store.usage_keyset import canonical_ip
from store.values.billing import ModelPrice
from store.values.usage import Kind, LoggedEntry, UsageEntry

MAX_STATUS_LENGTH: Final = 40
MAX_REQUEST_ID_LENGTH: Final = 100
_MAX_IMAGE_SIZE_LENGTH: Final = 40
_MAX_COUNT: Final = 1_000_000_000
_WITH_ADDRESS: Final = (Kind.CONSUMPTION, Kind.ERROR)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def logged_entries(rows: Sequence[Row[Any]]) -> tuple[LoggedEntry, ...]:
    """The values of whole rows of `usage_log`, in their order."""
    return tuple(LoggedEntry(row.id, row.at, _entry(row)) for row in rows)


def _entry(row: Any) -> UsageEntry:
    return UsageEntry(
        kind=db_enum(Kind, row.kind),
        model=row.model,
        api_key_name=row.api_key_name,
        request_id=row.request_id,
        status=row.status,
        detail=row.detail,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cost_micro_usd=row.cost_micro_usd,
        duration_ms=row.duration_ms,
        unpriced=row.unpriced,
        client_ip=row.client_ip,
        cached_tokens=row.cached_tokens,
        images=row.images,
        image_size=row.image_size,
        task_done=row.task_done,
        task_total=row.task_total,
        price=_price_at_call(row),
    )


def _price_at_call(row: Any) -> ModelPrice | None:
    if row.input_micro_usd_per_million is None or row.output_micro_usd_per_million is None:
        return None
    return ModelPrice(
        row.model,
        row.input_micro_usd_per_million,
        row.output_micro_usd_per_million,
        row.request_micro_usd or 0,
        row.cached_input_micro_usd_per_million,
    )


def within_bounds(entry: UsageEntry) -> UsageEntry:
    """The entry with counts that fit their columns."""
    return entry._replace(
        prompt_tokens=_clamp(entry.prompt_tokens),
        completion_tokens=_clamp(entry.completion_tokens),
        duration_ms=_clamp(entry.duration_ms),
        cached_tokens=_clamp(entry.cached_tokens),
    )


def address_of(entry: UsageEntry) -> str | None:
    """The client's address, which is logged if the account's setting is on; None for a kind that is logged without."""
    return None if entry.client_ip is None or entry.kind not in _WITH_ADDRESS else canonical_ip(entry.client_ip)


def log_row(account_id: int, at: datetime, entry: UsageEntry, *, client_ip: str | None) -> dict[str, Any]:
    """The columns of a log entry."""
    price = entry.price
    return {
        "account_id": account_id,
        "kind": entry.kind.value,
        "at": at,
        "model": sanitize(entry.model, 200),
        "api_key_name": sanitize(entry.api_key_name, 64),
        "request_id": sanitize(entry.request_id, MAX_REQUEST_ID_LENGTH),
        "status": sanitize(entry.status, MAX_STATUS_LENGTH),
        "detail": sanitize(entry.detail, 500),
        "prompt_tokens": entry.prompt_tokens,
        "completion_tokens": entry.completion_tokens,
        "cost_micro_usd": entry.cost_micro_usd,
        "duration_ms": entry.duration_ms,
        "unpriced": entry.unpriced,
        "client_ip": client_ip,
        "cached_tokens": entry.cached_tokens,
        "images": _clamp(entry.images),
        "image_size": sanitize(entry.image_size, _MAX_IMAGE_SIZE_LENGTH),
        "task_done": entry.task_done,
        "task_total": entry.task_total,
        "input_micro_usd_per_million": None if price is None else price.input_per_million,
        "cached_input_micro_usd_per_million": None if price is None else price.cached_input_per_million,
        "output_micro_usd_per_million": None if price is None else price.output_per_million,
        "request_micro_usd": None if price is None else price.per_request,
    }


def day_parameters(
    account_id: int, at: datetime, entry: UsageEntry, *, entry_id: int | None = None, calls: int
) -> dict[str, Any]:
    """The parameters that add an entry of `calls` calls to its day; without `entry_id` the statement knows it."""
    return {
        "of_account": account_id,
        "on_day": at.astimezone(UTC).date().isoformat(),
        "more_calls": calls,
        "more_errors": calls if entry.kind is Kind.ERROR else 0,
        "more_tokens": entry.prompt_tokens + entry.completion_tokens,
        "more_cost": entry.cost_micro_usd,
        "entry_id": entry_id,
        "at_ms": (at - _EPOCH) // timedelta(milliseconds=1),
    }


def total_parameters(on_day: Mapping[str, Any], entry: UsageEntry) -> dict[str, Any]:
    """The parameters that add an entry to the total of its day, model and API key."""
    return {
        "new_account_id": on_day["of_account"],
        "new_day": on_day["on_day"],
        # A client that invents names must not fill the table.
        "new_model": "" if entry.kind is Kind.ERROR else sanitize(entry.model, 200),
        "new_api_key_name": sanitize(entry.api_key_name, 64),
        "new_calls": on_day["more_calls"],
        "new_errors": on_day["more_errors"],
        "new_tokens": on_day["more_tokens"],
        "new_cost_micro_usd": on_day["more_cost"],
    }


def _clamp(count: int) -> int:
    # Token counts come from the model server. An absurd one must neither prevent the log entry nor overflow the total
    # of the day.
    return min(max(count, 0), _MAX_COUNT)
