"""Run the application, then end its session."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING, Final

from store.errors import GatekeyError
from tui.crash import ignore_hangups

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.account import AccountService
    from tui.host import Host

SIGN_OUT_TIMEOUT_S: Final = 6.0
"""Seconds to wait for the database at the end: longer than the store waits for a busy database, but not much, because
the machine may be shutting down."""


def run_to_its_end(
    app: Host,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    size: tuple[int, int] | None = None,
) -> int:
    """Run the application, then end its session, also after a crash or a signal; returns the exit code.

    End the process then. `size` is that of the terminal, columns and lines; by default the driver asks for it.
    """
    app.ends_process = True
    runner = asyncio.Runner(loop_factory=loop_factory)
    try:
        runner.run(_run(app, size))
    finally:
        if app.is_over:
            # The tasks of the widgets are left as they are, and a collection would complain of them.
            gc.disable()
        else:
            runner.close()
    end_session(app.account)
    return app.return_code or 0


async def _run(app: Host, size: tuple[int, int] | None) -> None:
    await app.run_async(mouse=app.config.mouse, size=size)
    if app.is_over:
        # A thread may still write a file.
        await asyncio.get_running_loop().shutdown_default_executor()


def end_session(account: AccountService) -> None:
    """End the session that a signal, a closed window or a fault left open. Blocking.

    After Quit or Sign out there is none. If the database does not answer in time, a sentence on standard error says
    that the session ends by itself.
    """
    ignore_hangups()
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(asyncio.wait_for(account.sign_out(), SIGN_OUT_TIMEOUT_S))
    except (TimeoutError, GatekeyError):
        _print_session_stays()
    finally:
        # Not `asyncio.run`: it would wait for a thread that a silent database may block forever.
        loop.close()


def _print_session_stays() -> None:
    try:
        sys.stderr.write(
            "gatekey: The database did not answer, so this session is still in the list of sessions. It ends by "
            "itself after an hour without use.\n"
        )
        sys.stderr.flush()
    except OSError:
        return
