"""The rows of exported lists, by the names of their columns. Without SQL: a list may come from a server."""

from typing import Any, Final

from store.money import type_usd
from store.values.ledger import LedgerEntry
from store.values.usage import LoggedEntry

CALL_COLUMNS: Final = (
    *("id", "at", "kind", "model", "api_key_name", "request_id", "status", "detail"),
    *("prompt_tokens", "cached_tokens", "completion_tokens", "images", "image_size", "task_done", "task_total"),
    *("cost_usd", "unpriced", "duration_ms", "client_ip"),
    *("input_usd_per_million", "cached_input_usd_per_million", "output_usd_per_million", "request_usd"),
)
CALL_TEXTS: Final = frozenset({"model", "api_key_name", "request_id", "status", "detail", "image_size", "client_ip"})
CHANGE_COLUMNS: Final = ("number", "at", "kind", "amount_usd", "balance_usd", "usage_entry_id", "reason", "actor")
CHANGE_TEXTS: Final = frozenset({"reason", "actor"})


def call_row(logged: LoggedEntry) -> dict[str, Any]:
    """One entry by the names of `CALL_COLUMNS`. Money is a decimal text, because a float loses cents."""
    entry = logged.entry
    price = entry.price
    cached = None if price is None else price.cached_input_per_million
    return {
        "id": logged.id,
        "at": logged.at.isoformat(),
        "kind": entry.kind.value,
        "model": entry.model,
        "api_key_name": entry.api_key_name,
        "request_id": entry.request_id,
        "status": entry.status,
        "detail": entry.detail,
        "prompt_tokens": entry.prompt_tokens,
        "cached_tokens": entry.cached_tokens,
        "completion_tokens": entry.completion_tokens,
        "images": entry.images,
        "image_size": entry.image_size,
        "task_done": entry.task_done,
        "task_total": entry.task_total,
        "cost_usd": type_usd(entry.cost_micro_usd),
        "unpriced": entry.unpriced,
        "duration_ms": entry.duration_ms,
        "client_ip": entry.client_ip,
        "input_usd_per_million": None if price is None else type_usd(price.input_per_million),
        "cached_input_usd_per_million": None if cached is None else type_usd(cached),
        "output_usd_per_million": None if price is None else type_usd(price.output_per_million),
        "request_usd": None if price is None else type_usd(price.per_request),
    }


def change_row(entry: LedgerEntry) -> dict[str, Any]:
    """One entry by the names of `CHANGE_COLUMNS`. Money is a decimal text, because a float loses cents."""
    return {
        "number": entry.sequence,
        "at": entry.at.isoformat(),
        "kind": entry.kind.value,
        "amount_usd": type_usd(entry.amount_micro_usd),
        "balance_usd": type_usd(entry.balance_micro_usd),
        "usage_entry_id": entry.usage_entry_id,
        "reason": entry.reason,
        "actor": entry.actor,
    }
