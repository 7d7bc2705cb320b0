"""The statements of a relayed call's shortcuts on SQLite: of holds, or of bookings, of one account and key together.

The first statement decides for all of them. If it changes no row, the others do not run, and nothing was changed. Each
statement lets other threads run Python, and then waits for its turn among them: of calls that come together, three
statements hold all and seven or eight book all, in place of as many for each.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Select, Text, bindparam, exists, func, not_, select, update

from store.call_statements import LEDGER_PARAMETERS, LOG_PARAMETERS
from store.compiled_statement import CompiledInsert, CompiledStatement
from store.known_calls import account_as_known
from store.models import ApiKey, BigId, LedgerEntryRow, Quota, Reservation, UsageEntryRow
from store.quota_changes import FITS_ON_KEY, HELD, HOLD_ON_KEY, IS_FREE, is_covered, is_crossed, spent_on_key, taken
from store.records_ip import records_ip
from store.usage_additions import add_to_day, add_to_total

Parameters: TypeAlias = Mapping[str, Any]
"""As `store.call_shortcuts` makes them, for one call or joined for several."""

_ACCOUNT: Final = bindparam("account", type_=BigId)
_IDS: Final = select(func.json_each(bindparam("ids", type_=Text())).table_valued("value").c.value)
_COST: Final = bindparam("cost", type_=Quota.c.used_micro_usd.type)
_OPENED: Final = (
    Reservation.c.id.in_(_IDS),
    Reservation.c.settled_at.is_(None),
    Reservation.c.account_id == _ACCOUNT,
)
_HELD: Final = select(func.sum(Reservation.c.held_micro_usd)).where(*_OPENED).scalar_subquery()
_OPEN_CALLS: Final = select(func.count()).where(*_OPENED).scalar_subquery()

_KEY: Final = select(ApiKey.c.id).where(
    ApiKey.c.id == bindparam("key", type_=BigId), ApiKey.c.account_id == _ACCOUNT, FITS_ON_KEY
)


def _hold_if(found: Select[Any]) -> CompiledStatement:
    condition = exists(found.correlate(None))
    return CompiledStatement(update(Quota).where(Quota.c.account_id == _ACCOUNT, IS_FREE, condition).values(HELD))


_HOLD: Final = _hold_if(_KEY)
_OPEN: Final = CompiledInsert(Reservation, ("id", "account_id", "api_key_id", "held_micro_usd", "created_at"))
_TAKE: Final = CompiledStatement(
    update(Quota)
    .where(
        Quota.c.account_id == _ACCOUNT,
        bindparam("calls", type_=BigId) == _OPEN_CALLS,
        is_covered(_HELD),
        not_(is_crossed(Quota.c.remaining_micro_usd - _COST)),
    )
    .values(taken(_HELD))
    .returning(Quota.c.remaining_micro_usd, Quota.c.ledger_sequence)
)
_SPEND_ON_KEY: Final = CompiledStatement(
    update(ApiKey).where(ApiKey.c.id == bindparam("key", type_=BigId)).values(spent_on_key(_HELD))
)
_SETTLE: Final = CompiledStatement(
    update(Reservation)
    .where(Reservation.c.id.in_(_IDS))
    .values(settled_at=bindparam("now", type_=Reservation.c.settled_at.type))
)
_LOG: Final = CompiledInsert(UsageEntryRow, tuple(LOG_PARAMETERS), returning=UsageEntryRow.c.id)
_RECORD: Final = CompiledInsert(LedgerEntryRow, tuple(LEDGER_PARAMETERS))


@cache
def _add_to_day() -> CompiledStatement:
    return CompiledStatement(
        add_to_day("sqlite", bindparam("first_id", type_=BigId), bindparam("last_id", type_=BigId))
    )


@cache
def _add_to_total() -> CompiledStatement:
    return CompiledStatement(add_to_total("sqlite"))


@cache
def _known_hold() -> CompiledStatement:
    return _hold_if(account_as_known("sqlite").where(FITS_ON_KEY))


def hold_together(tx: Connection, parameters: Parameters) -> tuple[Any, ...] | None:
    """Hold the `amounts` of as many calls on their quota and API key; None if both have not all of it free."""
    return _hold(_HOLD, tx, parameters)


def known_hold_together(tx: Connection, parameters: Parameters) -> tuple[Any, ...] | None:
    """As `hold_together`; None also if a read of the key and the price would not find what is known of them."""
    return _hold(_known_hold(), tx, parameters)


def _hold(statement: CompiledStatement, tx: Connection, parameters: Parameters) -> tuple[Any, ...] | None:
    if statement.change(tx, parameters) != 1:
        return None
    HOLD_ON_KEY.change(tx, parameters)
    values = {
        "id": parameters["reservations"],
        "account_id": parameters["account"],
        "api_key_id": parameters["key"],
        "held_micro_usd": parameters["amounts"],
        "created_at": parameters["now"],
    }
    _OPEN.insert(tx, values, len(parameters["reservations"]))
    return ()


def book_together(tx: Connection, parameters: Parameters) -> tuple[Any, ...] | None:
    """Book calls that share what `call_statements.OF_EACH` does not name.

    None if one of their reservations is not open, if the free quota does not cover all, or if they cross the threshold.
    """
    ids = parameters["reservations"]
    sent = {**parameters, "ids": json.dumps(ids), "calls": len(ids)}
    taken_together = _TAKE.row(tx, sent)
    if taken_together is None:
        return None
    # Before the reservations are settled: the amount that they had is read from them.
    _SPEND_ON_KEY.change(tx, sent)
    _SETTLE.change(tx, sent)
    logged = {name: parameters[parameter] for name, parameter in LOG_PARAMETERS.items()}
    if isinstance(logged["client_ip"], list) and not records_ip(tx, parameters["account"]):
        logged["client_ip"] = None
    entry_ids = sorted(_LOG.insert(tx, logged, len(ids)))
    sent |= {"first_id": entry_ids[0], "last_id": entry_ids[-1]}
    _add_to_day().change(tx, sent)
    _add_to_total().change(tx, sent)
    _record(tx, parameters, entry_ids, taken_together)
    return ()


def _record(tx: Connection, parameters: Parameters, entry_ids: list[int], after: Any) -> None:
    """Write the calls that cost something into the ledger, in the order of the usage log."""
    charged = [
        (entry_id, cost)
        for entry_id, cost in zip(entry_ids, parameters[LOG_PARAMETERS["cost_micro_usd"]], strict=True)
        if cost
    ]
    if not charged:
        return
    balance, balances = after.remaining_micro_usd + parameters["cost"], []
    for _, cost in charged:
        balance -= cost
        balances.append(balance)
    first = after.ledger_sequence - len(charged) + 1
    values = {name: parameters[parameter] for name, parameter in LEDGER_PARAMETERS.items()} | {
        "sequence": list(range(first, first + len(charged))),
        "amount_micro_usd": [-cost for _, cost in charged],
        "balance_micro_usd": balances,
        "usage_entry_id": [entry_id for entry_id, _ in charged],
    }
    _RECORD.insert(tx, values, len(charged))
