"""Money as integer micro-USD: parsed from typed dollars, shown as dollars, never a float.

One dollar is 1,000,000 micro-USD. Prices are per million tokens, so the price of the cheapest model is an integer too.
"""

import re
from decimal import Decimal
from typing import Final

from store.errors import InvalidMoney

MICRO_PER_USD: Final = 1_000_000
MAXIMUM_MICRO_USD: Final = 1_000_000_000 * MICRO_PER_USD
"""One billion dollars. It fits a 64-bit column."""

_AMOUNT: Final = re.compile(r"\$?([0-9]{1,10})(?:\.([0-9]{1,6}))?")


def parse_usd(text: str, *, places: int = 2, field: str = "") -> int:
    """The amount in `text`, such as `1`, `1.00` or `$1.00`, in micro-USD. `places` is the most decimals, 2 to 6.

    Raises `InvalidMoney` for a sign, an exponent, a non-ASCII digit, too many decimals, or more than
    `MAXIMUM_MICRO_USD`.
    """
    match = _AMOUNT.fullmatch(text.strip(" "))
    if match is None or len(match[2] or "") > places:
        raise InvalidMoney(_expectation(places), field=field)
    micro_usd = int(Decimal(match[1] + "." + (match[2] or "0")) * MICRO_PER_USD)
    if micro_usd > MAXIMUM_MICRO_USD:
        raise InvalidMoney("The amount is larger than 1,000,000,000 dollars.", field=field)
    return micro_usd


def check_spend_limit(micro_usd: int, *, field: str) -> int:
    """`micro_usd`, if it is above zero and at most `MAXIMUM_MICRO_USD`. Raises `InvalidMoney`."""
    if not 0 < micro_usd <= MAXIMUM_MICRO_USD:
        raise InvalidMoney("A spend limit is more than zero, and at most 1,000,000,000 dollars.", field=field)
    return micro_usd


def show_usd(micro_usd: int, *, exact: bool = False) -> str:
    """`micro_usd` as dollars, such as `$4.20`.

    Fractions of a cent are cut off, so that a balance never looks larger than it is. `exact` shows every decimal.
    """
    sign = "-" if micro_usd < 0 else ""
    dollars, rest = divmod(abs(micro_usd), MICRO_PER_USD)
    decimals = f"{rest:06d}".rstrip("0").ljust(2, "0") if exact else f"{rest // 10_000:02d}"
    return f"{sign}${dollars:,}.{decimals}"


def show_amount(micro_usd: int, *, signed: bool = False) -> str:
    """`micro_usd` in dollars with all six decimals and no dollar sign, for columns of amounts: `-0.022191`.

    `signed` puts a plus before an amount above zero.
    """
    sign = "-" if micro_usd < 0 else "+" if signed and micro_usd > 0 else ""
    dollars, rest = divmod(abs(micro_usd), MICRO_PER_USD)
    return f"{sign}{dollars:,}.{rest:06d}"


def type_usd(micro_usd: int) -> str:
    """`micro_usd` as text for an input field: `parse_usd(type_usd(x), places=6) == x`, unless it is below zero."""
    dollars, rest = divmod(abs(micro_usd), MICRO_PER_USD)
    return f"{'-' if micro_usd < 0 else ''}{dollars}." + f"{rest:06d}".rstrip("0").ljust(2, "0")


def _expectation(places: int) -> str:
    count = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}[places]
    return f"Enter dollars with up to {count} decimals, such as 1.00."


def refuse_negative(micro_usd: int) -> None:
    """Raise `InvalidMoney` for a cost below zero."""
    if micro_usd < 0:
        raise InvalidMoney("A cost is not below zero.")
