"""Rows of the usage log as values."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from store.db_enums import db_enum
from store.values.billing import ModelPrice
from store.values.usage import Kind, LoggedEntry, UsageEntry


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
