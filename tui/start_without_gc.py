"""The garbage collector rests during a start: it would take a twentieth of the time, and find next to nothing.

`rest` stops it; `resume` starts it again, for a command, and `resume_once_open` for the console. The objects made until
then are frozen: a collection passes over them, until `let_go` says that screens are being replaced.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tui.process_memory import give_back

if TYPE_CHECKING:
    from tui.account import AccountService

_TIMEOUT_S: Final = 10.0
"""Seconds after which the collector works again although the data is not open: nobody may have an account yet."""
_THRESHOLD: Final = 20_000
"""New objects between two collections; Python's default of 700 is meant for smaller programs."""


def rest() -> None:
    """Stop the collector."""
    gc.disable()
    gc.set_threshold(_THRESHOLD, 20, 100)


def is_resting() -> bool:
    """True if `rest` was called, and the collector does not work again."""
    return not gc.isenabled()


async def resume_once_open(account: AccountService, timeout_s: float = _TIMEOUT_S) -> None:
    """Wait until the data is open, but no longer than `timeout_s` seconds, and start the collector again."""
    import asyncio  # a command without a console does not need it

    with suppress(TimeoutError):
        await asyncio.wait_for(account.wait_until_open(), timeout_s)
    gc.freeze()
    resume()
    await asyncio.to_thread(give_back)


def resume() -> None:
    """Start the collector again."""
    gc.enable()


def let_go() -> None:
    """Let the collector look at the objects of the start too: those of a screen that goes may hold what was typed."""
    gc.unfreeze()
