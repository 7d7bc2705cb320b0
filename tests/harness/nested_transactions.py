"""No thread begins a transaction while it has another one.

The second one takes a second connection. It waits for ever where a pool has no more of them, and on a database in
memory it waits for a writer that waits for the first.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from sys import _getframe
from types import FrameType
from typing import Any, Final

import pytest

from store.database import Database

_BETWEEN: Final = ("contextlib", Database.__module__, __name__)
_open: Final = threading.local()
"""`begun`: for every open transaction of a thread, its database, who began it, and the test's frame around it."""


def watch_nested_transactions() -> Iterator[None]:
    """Raise AssertionError where the product begins a transaction inside one that it began.

    One that a test begins itself, or begins in the middle of another, stands for a second program.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("read", "look", "write"):
            patch.setattr(Database, name, _watched(getattr(Database, name)))
        yield


def _watched(begin: Any) -> Any:
    @wraps(begin)
    def watched(database: Database, *args: Any, **more: Any) -> AbstractContextManager[Any]:
        transaction: AbstractContextManager[Any] = begin(database, *args, **more)
        of_another = _getframe(1).f_globals["__name__"] == Database.__module__
        return transaction if of_another else _begun(database, transaction)

    return watched


@contextmanager
def _begun(database: Database, transaction: AbstractContextManager[Any]) -> Iterator[Any]:
    begun = _open.__dict__.setdefault("begun", [])
    beginner = _outside(_getframe(1))
    test = _test(beginner)
    for other, by, around in begun:
        nested = other is database and around is test and beginner is not test
        assert not nested, f"{_name(beginner)} begins a transaction inside that of {by}"
    entry = (database, _name(beginner), test)
    if beginner is not test:
        begun.append(entry)
    try:
        with transaction as connection:
            yield connection
    finally:
        if beginner is not test:
            begun.remove(entry)


def _outside(frame: FrameType | None) -> FrameType | None:
    """The frame that began the transaction."""
    while frame is not None and frame.f_globals["__name__"] in _BETWEEN:
        frame = frame.f_back
    return frame


def _test(frame: FrameType | None) -> FrameType | None:
    """The next frame of a test around `frame`, None in a thread of the product."""
    while frame is not None:
        module = frame.f_globals["__name__"]
        if module.startswith("tests.") and module != __name__:
            return frame
        frame = frame.f_back
    return None


def _name(frame: FrameType | None) -> str:
    return "nobody" if frame is None else f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}"
