"""JSON from outside, read with a bound on each number.

To turn digits into a number and back costs the square of their count: 7,400 whole numbers of 4,300 digits, which fit
into one request, take seconds. RFC 8259, 6 lets a reader set limits; nobody counts on more than a double's 17 digits.
"""

import json
from typing import Any, Final

MAX_NUMBER_CHARACTERS: Final = 100
"""Characters. A double, written as plain as it can be, has 25; a whole number of 128 bits has 39."""


class NumberTooLong(ValueError):
    """A number has more than `MAX_NUMBER_CHARACTERS` characters."""


def loads(text: bytes) -> Any:
    """The value of `text`, in UTF-8, 16 or 32. Raises `NumberTooLong`, `ValueError` and `RecursionError`.

    `NaN` and the infinities are refused: they are not JSON.
    """
    return _STRICT_DECODER.decode(text.decode(json.detect_encoding(text), "surrogatepass"))


def loads_lenient(text: bytes) -> Any:
    """The same of another server's answer, which may say `NaN` as Python's own writer does."""
    return _LENIENT_DECODER.decode(text.decode(json.detect_encoding(text), "surrogatepass"))


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_NUMBER_CHARACTERS:
        raise NumberTooLong
    return int(digits)


def _parse_float(digits: str) -> float:
    if len(digits) > MAX_NUMBER_CHARACTERS:
        raise NumberTooLong
    return float(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_STRICT_DECODER: Final = json.JSONDecoder(
    parse_int=_parse_int, parse_float=_parse_float, parse_constant=_refuse_constant
)
_LENIENT_DECODER: Final = json.JSONDecoder(parse_int=_parse_int, parse_float=_parse_float)
