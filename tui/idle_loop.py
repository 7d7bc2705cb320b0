"""Wait until the event loop is idle."""

import asyncio
from typing import Final

_STEP_S: Final = 0.01
"""Seconds between two checks. A check that comes after more than twice that found the loop busy."""


async def until_idle(quiet_s: float, timeout_s: float) -> None:
    """Return once the running loop was idle for `quiet_s` seconds, at the latest after `timeout_s` seconds."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    end = since + timeout_s
    while (now := loop.time()) - since < quiet_s and now < end:
        await asyncio.sleep(_STEP_S)
        if loop.time() - now > 2 * _STEP_S:
            since = loop.time()
