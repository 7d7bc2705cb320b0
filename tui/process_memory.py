"""The memory of the process, as the C library keeps it (glibc)."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Final

_M_ARENA_MAX: Final = -8
"""`mallopt(3)`."""


def share_one_arena() -> None:
    """Let all threads take memory from one arena: each of their own would keep 1 MB or so that others cannot use.

    One thread of Python runs at a time, so that they do not wait for each other there. Before the first thread.
    """
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give the system what was used for a while, and is free now."""
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
