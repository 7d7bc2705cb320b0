"""The statements of a relayed call's shortcuts on PostgreSQL: its hold, and its booking.

All parts of a statement see the database as it was when the statement began; a row that another transaction has changed
since is waited for, and its condition checked again. A part runs once its own condition asks for the rows of another
part. That sets the order of the locks, which is that of the steps on SQLite: the account, the reservation, the quota,
the API key, then the rows that the call is logged in.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    not_,
    null,
    select,
    update,
)

from store.known_calls import account_as_known
from store.models import Account, ApiKey, LedgerEntryRow, PrivacySettingsRow, Quota, Reservation, UsageEntryRow
from store.quota_changes import (
    FITS_ON_KEY,
    HELD,
    HELD_ON_KEY,
    IS_FREE,
    is_covered,
    is_crossed,
    spent_on_key,
    taken,
)
from store.shortcut import WholeStatement
from store.usage_additions import add_to_day, add_to_total

LOG: Final = "log_"
"""Before the name of a column of the usage log, in the name of its parameter."""
LEDGER: Final = "ledger_"
_DIALECT: Final = "postgresql"


@cache
def hold_statement() -> WholeStatement:
    """Holds the amount of a call on the quota and on the API key, if both have it free."""
    return _hold(_account())


@cache
def known_hold_statement() -> WholeStatement:
    """As `hold_statement`, if a read of the key and the price would find what is known of them."""
    return _hold(account_as_known().cte("account"))


def _hold(account: CTE) -> WholeStatement:
    """Holds `amount` for as many calls as there are `reservations`, each with its own of the `amounts`."""
    # Both rows are locked before either is changed: a statement cannot take back what it has done.
    free = (
        select(Quota.c.account_id)
        .where(Quota.c.account_id == _only(account.c.id), IS_FREE)
        .with_for_update(key_share=True)
        .cte("free")
    )
    on_key = (
        update(ApiKey)
        .where(ApiKey.c.id == _of(ApiKey.c.id, "key"), ApiKey.c.account_id == _only(free.c.account_id), FITS_ON_KEY)
        .values(HELD_ON_KEY)
        .returning(ApiKey.c.account_id)
        .cte("on_key")
    )
    held = (
        update(Quota)
        .where(Quota.c.account_id == _only(on_key.c.account_id))
        .values(HELD)
        .returning(Quota.c.account_id)
        .cte("held")
    )
    row: dict[str, ColumnElement[Any]] = {
        "id": _each(Reservation.c.id, "reservations"),
        "account_id": held.c.account_id,
        "api_key_id": _of(ApiKey.c.id, "key"),
        "held_micro_usd": _each(Reservation.c.held_micro_usd, "amounts"),
        "created_at": _of(Reservation.c.created_at, "now"),
    }
    opened = insert(Reservation).from_select(list(row), select(*row.values()).select_from(held))
    return WholeStatement(opened.returning(Reservation.c.id))


@cache
def booking_statement(*, with_address: bool) -> WholeStatement:
    """Books a call whose reservation is open, whose whole cost is covered, and which crosses no threshold."""
    account = _account()
    opened = (
        select(Reservation.c.held_micro_usd)
        .where(
            Reservation.c.id == _of(Reservation.c.id, "reservation"),
            Reservation.c.settled_at.is_(None),
            Reservation.c.account_id == _only(account.c.id),
        )
        .with_for_update(key_share=True)
        .cte("opened")
    )
    cost, held = _of(Quota.c.used_micro_usd, "cost"), opened.c.held_micro_usd
    take = (
        update(Quota)
        .where(
            Quota.c.account_id == _of(Quota.c.account_id, "account"),
            is_covered(held),
            not_(is_crossed(Quota.c.remaining_micro_usd - cost)),
        )
        .values(taken(held))
        .returning(Quota.c.account_id, Quota.c.remaining_micro_usd, Quota.c.ledger_sequence)
        .cte("take")
    )
    is_taken = exists(select(literal(1)).select_from(take))
    settled = (
        update(Reservation)
        .where(Reservation.c.id == _of(Reservation.c.id, "reservation"), is_taken)
        .values(settled_at=_of(Reservation.c.settled_at, "now"))
        .cte("settled")
    )
    on_key = (
        update(ApiKey)
        .where(ApiKey.c.id == _of(ApiKey.c.id, "key"), is_taken)
        .values(spent_on_key(_only(held)))
        .cte("on_key")
    )
    logged = _logged(take, with_address=with_address)
    day = add_to_day(_DIALECT, logged.c.id, logged).returning(literal(1).label("added")).cte("on_day")
    total = add_to_total(_DIALECT, day).cte("on_total")
    entry = {column.name: _of(column, f"{LEDGER}{column.name}") for column in LedgerEntryRow.c}
    entry |= {
        "account_id": take.c.account_id,
        "sequence": take.c.ledger_sequence,
        "balance_micro_usd": take.c.remaining_micro_usd,
        "usage_entry_id": logged.c.id,
    }
    charged = select(*entry.values()).select_from(take.join(logged, literal(True))).where(cost > 0)
    in_ledger = insert(LedgerEntryRow).from_select(list(entry), charged).cte("in_ledger")
    return WholeStatement(select(logged.c.id).add_cte(settled, on_key, day, total, in_ledger))


def _logged(take: CTE, *, with_address: bool) -> CTE:
    """The insertion of the call into the usage log, for the row that `take` returns."""
    row = {column.name: _of(column, f"{LOG}{column.name}") for column in UsageEntryRow.c if column.name != "id"}
    if with_address:
        # The row lock serializes this with a concurrent save of the setting.
        private = (
            select(PrivacySettingsRow.c.record_client_ip)
            .where(PrivacySettingsRow.c.account_id == _only(take.c.account_id))
            .with_for_update(read=True)
            .cte("private")
        )
        row["client_ip"] = case((_only(private.c.record_client_ip), row["client_ip"]), else_=null())
    rows = select(*row.values()).select_from(take)
    return insert(UsageEntryRow).from_select(list(row), rows).returning(UsageEntryRow.c.id).cte("logged")


def _account() -> CTE:
    """The account, which cannot be deleted until the transaction ends (`row_locks.lock_against_deletion`)."""
    found = select(Account.c.id).where(Account.c.id == _of(Account.c.id, "account"))
    return found.with_for_update(read=True, key_share=True).cte("account")


def _of(column: ColumnElement[Any], name: str) -> Any:
    """The parameter `name` with the type of `column`."""
    return bindparam(name, type_=column.type)


def _each(column: ColumnElement[Any], name: str) -> Any:
    """The elements of the parameter `name`, a row for each. Two such columns advance together."""
    return func.unnest(bindparam(name, type_=ARRAY(column.type)), type_=column.type)


def _only(column: ColumnElement[Any]) -> Any:
    """The value of `column` in the one row of its part, or NULL without a row."""
    return select(column).scalar_subquery()
