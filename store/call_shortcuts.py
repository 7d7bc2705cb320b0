"""The shortcuts of a relayed call, with their values: its hold, and its booking."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from store.call_statements import (
    LEDGER_PARAMETERS,
    LOG_PARAMETERS,
    OF_EACH,
    booking_statement,
    hold_statement,
    known_hold_statement,
)
from store.call_steps import book_together, hold_together, known_hold_together
from store.context import Context
from store.key_periods import period_parameters
from store.known_calls import KnownCall
from store.ledger import ledger_row
from store.money import MAXIMUM_MICRO_USD, refuse_negative
from store.reservations import Hold, new_hold
from store.shortcut import Shortcut, Together
from store.usage_rows import address_of, day_parameters, log_row, total_parameters, within_bounds
from store.values.ledger import LedgerEntry, LedgerKind
from store.values.usage import UsageEntry

_SUMS: Final = frozenset(
    {"cost", "entries"}
    | {f"more_{each}" for each in ("calls", "errors", "tokens", "cost")}
    | {f"new_{each}" for each in ("calls", "errors", "tokens", "cost_micro_usd")}
)
"""The parameters of a booking that are added up where several are made together."""


class CallShortcuts:
    """Makes shortcuts. Each does what the method of `Quotas` with its name does, or nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def hold(self, account_id: int, micro_usd: int, *, api_key_id: int) -> Shortcut[Hold]:
        """The hold of a call by an API key. It does nothing where `Quotas.hold` refuses. On SQLite, holds of a key are
        made together.

        Raises `InvalidMoney` below zero.
        """
        now, hold = self._context.now(), new_hold(self._context, account_id, api_key_id)
        parameters = {"account": account_id, "key": api_key_id, **_held(hold, micro_usd, now)}
        if self._context.database.is_postgresql:
            return Shortcut(hold_statement(), parameters, lambda _row: hold)
        together = Together(("hold", account_id, api_key_id), _held_together)
        return Shortcut(hold_together, parameters, lambda _row: hold, together)

    def known_hold(self, known: KnownCall, micro_usd: int) -> Shortcut[Hold]:
        """As `hold`, for a call that was not read: it does nothing either if a read would not find what is known. Such
        holds are made together.
        """
        now, holder = self._context.now(), known.holder
        hold = new_hold(self._context, holder.account_id, holder.key_id)
        parameters = {**known.parameters_at(now), **_held(hold, micro_usd, now)}
        statement = known_hold_statement() if self._context.database.is_postgresql else known_hold_together
        return Shortcut(statement, parameters, lambda _row: hold, Together(known, _held_together))

    def book(self, hold: Hold, cost_micro_usd: int, entry: UsageEntry) -> Shortcut[int]:
        """The booking of a call. It does nothing if the call's reservation is not open, if the free quota does not
        cover the cost, and where a warning is due. Bookings of like calls are made together.

        Raises `InvalidMoney` below zero.
        """
        refuse_negative(cost_micro_usd)
        cost, now = min(cost_micro_usd, MAXIMUM_MICRO_USD), self._context.now()
        entry = within_bounds(entry._replace(cost_micro_usd=cost))
        address = address_of(entry)
        on_day = day_parameters(hold.account_id, now, entry, calls=1)
        row = log_row(hold.account_id, now, entry, client_ip=address)
        each = OF_EACH if address is None else {*OF_EACH, "client_ip"}
        # The statement itself knows the number, the amount, the balance, and the entry of the log.
        charged = LedgerEntry(0, now, LedgerKind.CALL, 0, 0, None, reason=entry.model, actor=entry.api_key_name)
        parameters = {
            "account": hold.account_id,
            "reservations": [hold.id],
            "key": hold.api_key_id,
            "cost": cost,
            "entries": int(cost > 0),
            "now": now,
            **period_parameters(now),
            **on_day,
            **total_parameters(on_day, entry),
            **{LOG_PARAMETERS[name]: [value] if name in each else value for name, value in row.items()},
            **{LEDGER_PARAMETERS[name]: value for name, value in ledger_row(hold.account_id, charged).items()},
        }
        shared = tuple(value for name, value in row.items() if name not in each and name != "at")
        key = ("book", hold.api_key_id, on_day["on_day"], address is None, shared)
        is_postgresql = self._context.database.is_postgresql
        statement = booking_statement(with_address=address is not None) if is_postgresql else book_together
        return Shortcut(statement, parameters, lambda _row: cost, Together(key, _booked_together))


def _held(hold: Hold, micro_usd: int, now: datetime) -> dict[str, Any]:
    refuse_negative(micro_usd)
    return {
        "amount": micro_usd,
        "at_least": max(micro_usd, 1),
        "reservations": [hold.id],
        "amounts": [micro_usd],
        "now": now,
        **period_parameters(now),
    }


def _held_together(holds: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The parameters of several holds of one key at once. They fit together if each fits after the others."""
    return {
        **holds[-1],
        "amount": sum(hold["amount"] for hold in holds),
        "at_least": max(hold["at_least"] for hold in holds),
        "reservations": [hold["reservations"][0] for hold in holds],
        "amounts": [hold["amount"] for hold in holds],
    }


def _booked_together(bookings: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The parameters of several bookings of one account and key at once, on one day."""
    joined = dict(bookings[-1])
    for name, value in joined.items():
        if isinstance(value, list):
            joined[name] = [each for booking in bookings for each in booking[name]]
        elif name in _SUMS:
            joined[name] = sum(booking[name] for booking in bookings)
    return joined
