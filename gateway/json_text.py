"""JSON parsing for untrusted input, with a limit on the length of numbers.

Converting digits to a number takes quadratic time: 7,400 integers of 4,300 digits, which fit into one request, take
seconds. RFC 8259, 6 allows such limits; interoperable numbers need no more than a double's 17 digits.
"""

import json
import re
from typing import Any, Final

MAX_NUMBER_CHARACTERS: Final = 100
"""A double in plain notation has up to 25 characters, a 128-bit integer 39."""


_NEXT_KEY: Final = re.compile(r'\s*+[{,]\s*+("(?:[^"\\]++|\\.)*+")\s*+:\s*+')


class NumberTooLong(ValueError):
    """A number has more than `MAX_NUMBER_CHARACTERS` characters."""


def loads(text: bytes) -> Any:
    """Parse JSON in UTF-8, 16 or 32. Raises `NumberTooLong`, `ValueError` and `RecursionError`.

    `NaN` and the infinities are refused: they are not JSON.
    """
    return _STRICT_DECODER.decode(text.decode(json.detect_encoding(text), "surrogatepass"))


def loads_lenient(text: bytes | bytearray) -> Any:
    """Like `loads`, but accepts `NaN` and the infinities, which Python's own writer emits: for responses of other
    servers."""
    return _LENIENT_DECODER.decode(text.decode(json.detect_encoding(text), "surrogatepass"))


def leading_members(text: str) -> dict[str, Any]:
    """The members of the JSON object at the start of `text`, up to the first that is cut off or invalid."""
    members: dict[str, Any] = {}
    position = 0
    while (key := _NEXT_KEY.match(text, position)) is not None:
        try:
            members[json.loads(key[1])], position = _LENIENT_DECODER.raw_decode(text, key.end())
        except (ValueError, RecursionError):
            break
    return members


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
