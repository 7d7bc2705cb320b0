"""Run the application to its end, and end its session whatever ended the application."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from store.errors import GatekeyError
from tui.crash import ignore_hangups

if TYPE_CHECKING:
    from tui.account import AccountService
    from tui.host import Host

ENDED_WITHIN: Final = 6.0
"""Seconds that the end waits for the database to take the session out of the list: longer than a busy one is waited
for, and no longer, because whoever ended the console may be shutting down the machine."""


def run_to_its_end(app: Host) -> int:
    """Run the application, and end its session whatever ended it; returns the exit code."""
    app.run()
    end_session(app.account)
    return app.return_code or 0


def end_session(account: AccountService) -> None:
    """End the session that is left, whatever ended the console: a signal, a closed window, a fault. Blocking.

    After Quit or Sign out none is left. Where the database does not answer in time, the person is told that the
    session ends by itself.
    """
    ignore_hangups()
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(asyncio.wait_for(account.sign_out(), ENDED_WITHIN))
    except (TimeoutError, GatekeyError):
        _say_it_stays()
    finally:
        # This waits for none of the loop's threads: one may be held by a database that never answers.
        loop.close()


def _say_it_stays() -> None:
    try:
        sys.stderr.write(
            "gatekey: The database did not answer, so this session is still in the list of sessions. It ends by "
            "itself after an hour without use.\n"
        )
        sys.stderr.flush()
    except OSError:
        return
