"""The content of an item of the drawer in encrypted parts, so that a fetch holds one part in memory."""

import random
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from store.at_rest import KeyRing
from store.errors import TooLargeForDrawer

Content: TypeAlias = str | bytes | Iterable[str]

PART_BYTES: Final = 256 << 10
"""Bytes of every part but the last."""
MAX_ITEM_BYTES: Final = 32 << 20
_KEY_ID: Final = 1
_TOO_LARGE: Final = (
    f"The drawer takes at most {MAX_ITEM_BYTES >> 20} MiB in one item. Narrow the list with a filter, or ask the "
    "administrator for the file."
)


def sealed_parts(content: Content, key: bytes, place: str, rng: random.Random) -> tuple[list[bytes], int]:
    """The encrypted parts of `content`, at least one, and its size in bytes.

    `key` is the key of this item alone, and `place` its account and its id. Raises `TooLargeForDrawer`.
    """
    ring, size = KeyRing(_KEY_ID, {_KEY_ID: key}), 0
    parts: list[bytes] = []
    pieces = _cut(content)
    part = next(pieces, b"")
    while True:
        size += len(part)
        if size > MAX_ITEM_BYTES:
            raise TooLargeForDrawer(_TOO_LARGE)
        following = next(pieces, None)
        parts.append(ring.seal_bytes(part, _bound_to(place, len(parts), is_last=following is None), rng))
        if following is None:
            return parts, size
        part = following


def open_part(sealed: bytes, key: bytes, place: str, number: int, *, is_last: bool) -> bytes:
    """The plain part `number`. Raises `KeyWrong` for a part of another place, or that was altered."""
    return KeyRing(_KEY_ID, {_KEY_ID: key}).open_bytes(sealed, _bound_to(place, number, is_last=is_last))


def _bound_to(place: str, number: int, *, is_last: bool) -> str:
    return f"drawer_parts:content:{place}:{number}:{'last' if is_last else 'more'}"


def _cut(content: Content) -> Iterator[bytes]:
    """The bytes of `content` in parts of `PART_BYTES`; the last may be shorter."""
    gathered = bytearray()
    for piece in (content,) if isinstance(content, str | bytes) else content:
        gathered += piece.encode() if isinstance(piece, str) else piece
        while len(gathered) > PART_BYTES:
            yield bytes(gathered[:PART_BYTES])
            del gathered[:PART_BYTES]
    yield bytes(gathered)
