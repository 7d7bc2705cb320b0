"""Calls of the past, booked at once: the history of a demo.

The rows are those that a hold and a booking of each call would leave, but each kind of row is written by one statement
for all calls, which takes a tenth of the time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from store.errors import QuotaExceeded
from store.key_periods import period_parameters
from store.ledger import Ledger
from store.quota_changes import SPEND_ON_KEY, TAKE
from store.row_locks import lock_against_deletion
from store.usage_log import UsageLog
from store.values.ledger import LedgerEntry, LedgerKind
from store.values.usage import UsageEntry


class PastCall(NamedTuple):
    """A call that was made at `at`, with an API key of the account."""

    at: datetime
    api_key_id: int
    entry: UsageEntry


def book_past_calls(
    tx: Connection, account_id: int, calls: Sequence[PastCall], *, usage: UsageLog, ledger: Ledger
) -> None:
    """Take the cost of `calls`, the oldest first, from the quota inside `tx`, and log them.

    Limits of API keys refuse nothing, and nobody is warned, because the calls are over. Raises `QuotaExceeded` if the
    free quota is below their cost, or there is no such account; the caller then rolls `tx` back.
    """
    if not calls:
        return
    lock_against_deletion(tx, account_id)
    charged = [call for call in calls if call.entry.cost_micro_usd]
    cost = sum(call.entry.cost_micro_usd for call in charged)
    taken = TAKE.row(tx, {"account": account_id, "held": 0, "cost": cost, "entries": len(charged)})
    if taken is None:
        raise QuotaExceeded
    SPEND_ON_KEY.change_each(tx, [_on_key(call) for call in calls])
    ids = usage.append_past(tx, account_id, [(call.at, call.entry) for call in calls])
    balance, sequence = taken.remaining_micro_usd + cost, taken.ledger_sequence - len(charged)
    entries = []
    for call, entry_id in zip(calls, ids, strict=True):
        if not call.entry.cost_micro_usd:
            continue
        balance, sequence = balance - call.entry.cost_micro_usd, sequence + 1
        entries.append(
            LedgerEntry(
                sequence=sequence,
                at=call.at,
                kind=LedgerKind.CALL,
                amount_micro_usd=-call.entry.cost_micro_usd,
                balance_micro_usd=balance,
                usage_entry_id=entry_id,
                reason=call.entry.model,
                actor=call.entry.api_key_name,
            )
        )
    if entries:
        ledger.append_past(tx, account_id, entries)


def _on_key(call: PastCall) -> dict[str, object]:
    return {"key": call.api_key_id, "held": 0, "cost": call.entry.cost_micro_usd, **period_parameters(call.at)}
