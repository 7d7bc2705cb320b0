"""The rules of quotas and spend limits, as parts of statements.

A step of a call runs the statements below one after the other (`store.quota`). An ordinary step is fewer statements,
composed of the same parts (`store.call_statements`, `store.call_steps`). So each rule stands once. They are built once,
because every relayed call runs them: building a statement takes SQLAlchemy eight times as long as running it.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from store.compiled_statement import CompiledStatement
from store.key_periods import COUNTED, IN_PERIOD, STARTED_AT
from store.models import ApiKey, NotificationSettingsRow, Quota

_AMOUNT: Final = bindparam("amount", type_=Quota.c.held_micro_usd.type)
_HELD: Final = bindparam("held", type_=Quota.c.held_micro_usd.type)
_COST: Final = bindparam("cost", type_=Quota.c.used_micro_usd.type)
_THRESHOLD: Final = (
    select(NotificationSettingsRow.c.threshold_micro_usd)
    # Not Quota's column: SQLAlchemy leaves out the tables of columns in a RETURNING of SQLite, and the condition would
    # compare the column of the settings with itself.
    .where(NotificationSettingsRow.c.account_id == bindparam("account", type_=Quota.c.account_id.type))
    .scalar_subquery()
)

IS_FREE: Final = and_(
    Quota.c.remaining_micro_usd - Quota.c.held_micro_usd >= _AMOUNT,
    Quota.c.remaining_micro_usd >= bindparam("at_least", type_=Quota.c.remaining_micro_usd.type),
)
"""The condition of a hold. `at_least` is 1 for a call that costs nothing: an empty quota pays for none."""
HELD: Final = {"held_micro_usd": Quota.c.held_micro_usd + _AMOUNT}
HOLD: Final = CompiledStatement(update(Quota).where(Quota.c.account_id == bindparam("account"), IS_FREE).values(HELD))

FITS_ON_KEY: Final = or_(
    ApiKey.c.spend_limit_micro_usd.is_(None),
    COUNTED + ApiKey.c.held_micro_usd + _AMOUNT <= ApiKey.c.spend_limit_micro_usd,
)
"""The condition of a hold on an API key. All holds count, whenever they were made: each is booked in the period in
which its call ends."""
HELD_ON_KEY: Final = {
    "held_micro_usd": ApiKey.c.held_micro_usd + _AMOUNT,
    "period_spent_micro_usd": IN_PERIOD,
    "period_started_at": STARTED_AT,
}
HOLD_ON_KEY: Final = CompiledStatement(
    update(ApiKey)
    .where(ApiKey.c.id == bindparam("key"), ApiKey.c.account_id == bindparam("account"), FITS_ON_KEY)
    .values(HELD_ON_KEY)
)


def is_crossed(balance: ColumnElement[int]) -> ColumnElement[bool]:
    """True if a quota with this `balance` is below its threshold, and no warning was queued since the last increase."""
    return and_(Quota.c.warning_armed, balance < func.coalesce(_THRESHOLD, 0))


def taken(held: ColumnElement[int]) -> Mapping[str, Any]:
    """The columns of a quota after the booking of a call that costs `cost` and had `held`."""
    return {
        "remaining_micro_usd": Quota.c.remaining_micro_usd - _COST,
        "used_micro_usd": Quota.c.used_micro_usd + _COST,
        "held_micro_usd": Quota.c.held_micro_usd - held,
        "ledger_sequence": Quota.c.ledger_sequence + bindparam("entries", type_=Quota.c.ledger_sequence.type),
    }


def left(held: ColumnElement[int]) -> ColumnElement[int]:
    """The most that the booking of a call that had `held` can take: the balance without the holds of other calls."""
    return Quota.c.remaining_micro_usd - (Quota.c.held_micro_usd - held)


def is_covered(held: ColumnElement[int]) -> ColumnElement[bool]:
    """True if the whole cost of the call can be taken."""
    return left(held) >= _COST


LEFT: Final = left(_HELD)
_TAKE: Final = (
    update(Quota)
    .where(Quota.c.account_id == bindparam("account"))
    .values(taken(_HELD))
    .returning(
        Quota.c.remaining_micro_usd,
        Quota.c.ledger_sequence,
        is_crossed(Quota.c.remaining_micro_usd).label("is_crossed"),
    )
)
TAKE: Final = CompiledStatement(_TAKE.where(is_covered(_HELD)))
TAKE_UNCHECKED: Final = CompiledStatement(_TAKE)


def spent_on_key(held: ColumnElement[int]) -> Mapping[str, Any]:
    """The columns of an API key after the booking of a call that costs `cost` and had `held`."""
    return {
        "held_micro_usd": ApiKey.c.held_micro_usd - held,
        "spent_micro_usd": ApiKey.c.spent_micro_usd + _COST,
        "period_spent_micro_usd": IN_PERIOD + _COST,
        "period_started_at": STARTED_AT,
    }


SPEND_ON_KEY: Final = CompiledStatement(
    update(ApiKey).where(ApiKey.c.id == bindparam("key")).values(spent_on_key(_HELD))
)
