"""The format of bearer tokens: a prefix for secret scanners, 190 random bits, and a checksum.

A token is `gk_` or `sk-`, 32 base62 symbols, and the CRC-32 of all that in 6 base62 symbols. A token with a wrong
checksum is refused without a database query. The alphabet has no punctuation, so a double click selects a whole token.
"""

import random
import re
import zlib
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ACCESS_TOKEN_PREFIX: Final = "gk_"  # noqa: S105 - a prefix, not a token
API_KEY_PREFIX: Final = "sk-"
PAYLOAD_LENGTH: Final = 32
CHECKSUM_LENGTH: Final = 6
ACCESS_TOKEN_PATTERN: Final = r"gk_[0-9A-Za-z]{38}"  # noqa: S105 - the pattern a scanner looks for
"""The pattern of a System Access Token for secret scanners."""
SECRET: Final = re.compile(r"(gk_|sk-|whsec_)[0-9A-Za-z]{30,}")
"""Matches a token, an API key or a webhook secret inside a text."""


def generate(prefix: str, rng: random.Random) -> str:
    """A new token of 32 symbols (190 bits) after `prefix`, with its checksum."""
    body = prefix + "".join(rng.choice(ALPHABET) for _ in range(PAYLOAD_LENGTH))
    return body + checksum(body)


def is_well_formed(token: str, prefix: str) -> bool:
    """True if `token` has the format and a right checksum."""
    length = len(prefix) + PAYLOAD_LENGTH + CHECKSUM_LENGTH
    if len(token) != length or not token.startswith(prefix) or not token.isascii():
        return False
    body, check = token[:-CHECKSUM_LENGTH], token[-CHECKSUM_LENGTH:]
    return re.fullmatch(r"[0-9A-Za-z]+", body[len(prefix) :]) is not None and checksum(body) == check


def checksum(body: str) -> str:
    """The CRC-32 of `body` in six base62 symbols."""
    number, symbols = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        symbols = ALPHABET[digit] + symbols
    return symbols
