"""The memory of the process, as the C library keeps it (glibc)."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Final

_M_ARENA_MAX: Final = -8
"""`mallopt(3)`."""


def share_one_arena() -> None:
    """Let all threads take memory from one arena. An arena of each thread keeps memory that other threads cannot use.

    One thread runs Python code at a time, so threads seldom wait for the arena. Call it before the first thread starts.
    """
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Return free memory to the system."""
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
