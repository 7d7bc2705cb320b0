"""The wait for a server that refuses too many requests, or that is not there for a moment.

A New API server answers 429 with an empty body and no Retry-After; its limits are per address: 180 requests in three
minutes, and 20 in twenty minutes for sign-in and the like.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Sleep = Callable[[float], Awaitable[None]]


class Reason(StrEnum):
    """The reason of a wait, as a sentence for the person."""

    RATE_LIMIT = "The server refuses requests for a while, because there were too many."
    UNREACHABLE = "The server does not answer."


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that begins now. Cancelling the task that waits ends it."""

    reason: Reason
    seconds: float
    attempt: int
    """1 before the second try."""


Told = Callable[[Wait], None]
RATE_LIMIT_WAITS: Final = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 61.0)
"""Seconds before each further try, three minutes in all: the longest that the limit of all requests lasts."""
SIGN_IN_WAITS: Final = (5.0, 15.0, 40.0, *(60.0 for _ in range(19)))
"""The same for the requests that sign in and the like: twenty minutes in all."""
OUTAGE_WAITS: Final = (0.5, 1.5, 4.0, 8.0)
"""Seconds before each further try of a request that may be repeated, while the server restarts."""
_MAX_ASKED_S: Final = 1200.0
_JITTER_SHARE: Final = 0.1


def _say_nothing(_wait: Wait) -> None:
    """No callback was given."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The lengths of the waits for a server, and who is told of them. `sleep` and `rng` are injected."""

    told: Told = _say_nothing
    sleep: Sleep = asyncio.sleep
    rng: random.Random = field(default_factory=random.SystemRandom, repr=False)
    rate_limit_waits: tuple[float, ...] = RATE_LIMIT_WAITS
    sign_in_waits: tuple[float, ...] = SIGN_IN_WAITS
    outage_waits: tuple[float, ...] = OUTAGE_WAITS

    async def after_refusal(self, attempt: int, asked_s: float | None, *, signs_in: bool) -> bool:
        """Wait before try number `attempt + 1`, at least the seconds that the server asked for.

        Returns False at once if there were enough tries.
        """
        waits = self.sign_in_waits if signs_in else self.rate_limit_waits
        if attempt > len(waits):
            return False
        await self._wait(Reason.RATE_LIMIT, max(waits[attempt - 1], min(asked_s or 0.0, _MAX_ASKED_S)), attempt)
        return True

    async def after_outage(self, attempt: int) -> bool:
        """As `after_refusal`, for a server that did not answer."""
        if attempt > len(self.outage_waits):
            return False
        await self._wait(Reason.UNREACHABLE, self.outage_waits[attempt - 1], attempt)
        return True

    async def _wait(self, reason: Reason, seconds: float, attempt: int) -> None:
        # Later, never earlier: several consoles that were refused together do not come back together.
        length = seconds * (1 + _JITTER_SHARE * self.rng.random())
        self.told(Wait(reason, length, attempt))
        await self.sleep(length)
