"""The places of an exception, for reports: types, files and lines.

Never messages or local variables, because they can hold what was typed.
"""

import traceback
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple


class Link(NamedTuple):
    """One exception of a chain."""

    kind: str
    """Its module and class."""
    frames: list[tuple[CodeType, int]]
    """Code and line number, outermost first."""


def chain(error: BaseException, longest: int) -> Iterator[Link]:
    """`error` and what caused it, at most `longest` exceptions; the links are those that Python itself prints."""
    link: BaseException | None = error
    for _ in range(longest):
        if link is None:
            return
        frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(link.__traceback__)]
        yield Link(f"{type(link).__module__}.{type(link).__qualname__}", frames)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
