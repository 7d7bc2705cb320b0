"""The price of a model in whole millionths of a dollar, or the reason why it is none.

The server keeps ratios: the quota of a token, the factor of output and of cached input, and that of a group. Their
product need not be a price that can be written down here, and a rounded one would charge something else.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from remote.fields import Fields
from store.money import MAXIMUM_MICRO_USD, MICRO_PER_USD
from store.values.account_import import ForeignPrice
from store.values.billing import TOKENS_PER_PRICE, ModelPrice

UNPRICED_RATIO: Final = Decimal("37.5")
"""The ratio that the server lists for a model without a price, and charges where the account accepts such models."""
_PER_TOKEN: Final = 0
_PER_REQUEST: Final = 1
_OTHER_KINDS: Final = ("create_cache_ratio", "audio_ratio", "audio_completion_ratio", "image_ratio")
_RATIO_MODES: Final = ("", "ratio")

_NAME: Final = "Its name holds characters that no name has here."
_NO_GROUP: Final = "The server does not tell what your group pays of it."
_NO_PRICE: Final = "The server names no price for it."
_BY_RULE: Final = "It is charged by a rule there, and not by the token or by the request."
_NOT_TOLD: Final = "The server does not tell it whole."
_MORE_KINDS: Final = "It has prices for audio, images or a written cache there, which have no place here."
_NOT_EXACT: Final = "It is no whole number of millionths of a dollar."


def exact_price(row: Fields, quota_per_usd: Decimal, share: Decimal | None) -> ForeignPrice:
    """The price in `row` of the server's list for a group that pays `share` of it."""
    model = row.text("model_name", 200)
    if model != row.raw_text("model_name"):
        return ForeignPrice(model, None, _NAME)
    if share is None:
        return ForeignPrice(model, None, _NO_GROUP)
    found = _price_of(model, row, Fraction(quota_per_usd), Fraction(share))
    if isinstance(found, str):
        return ForeignPrice(model, None, found)
    return ForeignPrice(
        model, found, "" if share == 1 else f"at {share.normalize():f} of the list, as your group there"
    )


def _price_of(model: str, row: Fields, quota_per_usd: Fraction, share: Fraction) -> ModelPrice | str:
    """The price, or the reason why there is none."""
    kind = row.number("quota_type")
    if kind not in (_PER_TOKEN, _PER_REQUEST) or row.text("billing_mode") not in _RATIO_MODES:
        return _BY_RULE
    if any(row.number(name) not in (None, 1) for name in _OTHER_KINDS):
        return _MORE_KINDS
    if kind == _PER_REQUEST:
        dollars = row.number("model_price")
        if dollars is None:
            return _NOT_TOLD
        each = _whole(Fraction(dollars) * share * MICRO_PER_USD)
        return _NOT_EXACT if each is None else ModelPrice(model, 0, 0, per_request=each)
    ratio, completion, cache = (row.number(name) for name in ("model_ratio", "completion_ratio", "cache_ratio"))
    if ratio == UNPRICED_RATIO:
        return _NO_PRICE
    if ratio is None or completion is None:
        return _NOT_TOLD
    into = Fraction(ratio) * share * TOKENS_PER_PRICE * MICRO_PER_USD / quota_per_usd
    amounts = [
        _whole(into),
        _whole(into * Fraction(completion)),
        _whole(into * Fraction(1 if cache is None else cache)),
    ]
    if None in amounts:
        return _NOT_EXACT
    whole_into, whole_out, whole_cached = (amount or 0 for amount in amounts)
    return ModelPrice(model, whole_into, whole_out, cached_input_per_million=None if cache is None else whole_cached)


def _whole(number: Fraction) -> int | None:
    """The number, if it is whole and an amount that can be stored."""
    return number.numerator if number.denominator == 1 and 0 <= number <= MAXIMUM_MICRO_USD else None
