"""The injected clock. Every rule reads the time from a `Clock`, so that a test can set it."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Uptime(NamedTuple):
    """Time since the machine booted. It is monotonic and the same for all processes of the machine."""

    boot: str
    """The kernel's boot id. Empty on systems without one: uptimes cannot be compared there."""
    milliseconds: int
    """Includes time in which the machine was suspended."""


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC. It can jump both ways when an administrator or NTP sets the clock."""
        ...

    def uptime(self) -> Uptime:
        """The time since boot."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def uptime(self) -> Uptime:
        """`CLOCK_BOOTTIME` on Linux; elsewhere an uptime without a boot id."""
        try:
            boot = _BOOT_ID.read_text("ascii").strip()
            return Uptime(boot, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)
        except (OSError, AttributeError):
            return Uptime("", time.monotonic_ns() // 1_000_000)
