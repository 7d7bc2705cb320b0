"""Waiting for the event loop to have nothing to do."""

import asyncio
from typing import Final

_STEP: Final = 0.01
"""Seconds between two looks. A look that comes later than twice that found the loop at work."""


async def until_idle(quiet: float, patience: float) -> None:
    """Return once the running loop was on time for `quiet` seconds, or after `patience` seconds in any case."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    end = since + patience
    while (now := loop.time()) - since < quiet and now < end:
        await asyncio.sleep(_STEP)
        if loop.time() - now > 2 * _STEP:
            since = loop.time()
