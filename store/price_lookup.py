"""The lookup of a model's price: that of the exact name, else of the name in another case.

A relayed call reads it together with the holder of its API key, in one statement.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, bindparam, or_, select

from store.models import Price
from store.text import fold_case, is_sanitized
from store.values.billing import ModelPrice

_PREFIX: Final = "price_"
_FOUND: Final = (
    select(Price.c.model)
    .where(or_(Price.c.model == bindparam("name"), Price.c.model_key == bindparam("name_key")))
    .order_by(Price.c.model != bindparam("name"))
    .limit(1)
    .correlate(None)
    .scalar_subquery()
)
PRICE: Final[tuple[Column[Any], ...]] = (
    Price.c.model,
    Price.c.input_micro_usd_per_million,
    Price.c.output_micro_usd_per_million,
    Price.c.request_micro_usd,
    Price.c.cached_input_micro_usd_per_million,
    Price.c.max_output_tokens,
)
"""The columns of a `ModelPrice`, in its order."""
_IN_ROW: Final = attrgetter(*(f"{_PREFIX}{column.name}" for column in PRICE))
_PRICE_OF: Final = select(*PRICE).where(Price.c.model == _FOUND)
"""Built once, because relayed calls run it."""


def with_price(rows: Any) -> Select[Any]:
    """The query `rows` with the columns of the price of `lookup_parameters`, which are NULL without one."""
    columns = (column.label(f"{_PREFIX}{column.name}") for column in PRICE)
    both: Select[Any] = rows.add_columns(*columns).outerjoin(Price, Price.c.model == _FOUND)
    return both


def lookup_parameters(model: str) -> Mapping[str, str]:
    """The parameters of the lookup of `model`."""
    # A name that no price can have is not sent: the driver may refuse it, for example a lone surrogate.
    known = model if is_sanitized(model) else ""
    return {"name": known, "name_key": fold_case(known)}


def price_beside(row: Any) -> ModelPrice | None:
    """The price in a row of `with_price`."""
    found = _IN_ROW(row)
    return None if found[0] is None else ModelPrice(*found)


def find_price(tx: Connection, model: str) -> ModelPrice | None:
    """The price of `model`, or of a name that differs only by case; None without one."""
    row = tx.execute(_PRICE_OF, lookup_parameters(model)).one_or_none()
    return None if row is None else ModelPrice(*row)
