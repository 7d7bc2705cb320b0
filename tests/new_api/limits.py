"""The limits of a default installation. A test switches them on with `World.has_limits`."""

from typing import Final

from tests.new_api.world import World

EVERY: Final = "all of /api"
CRITICAL: Final = "critical"
SEARCH: Final = "search"
MAIL: Final = "mail"

LIMITS: Final = {EVERY: (180, 180), CRITICAL: (20, 1200), SEARCH: (10, 60), MAIL: (2, 30)}
"""Calls, and the seconds in which so many are answered."""


def is_over(world: World, bucket: str, who: str) -> bool:
    """Count a call; True if it is one too many."""
    most, seconds = LIMITS[bucket]
    now = world.now()
    calls = world.calls_by_bucket[bucket, who]
    calls[:] = [moment for moment in calls if now - moment < seconds]
    if len(calls) >= most:
        return True
    calls.append(now)
    return False
