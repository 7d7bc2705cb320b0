"""Time, injected: every rule reads it from a `Clock`, so a test can move it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Uptime:
    """Time since the machine started. It never jumps, and all processes of one machine agree on it."""

    boot: str
    """The kernel's id of this start of the machine. Empty where it has none: then uptimes cannot be compared."""
    milliseconds: int
    """Time asleep counts."""


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC. An administrator or NTP may set it forwards and backwards."""
        ...

    def uptime(self) -> Uptime:
        """How long the machine has been up."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def uptime(self) -> Uptime:
        """`CLOCK_BOOTTIME` (Linux); elsewhere an uptime that cannot be compared."""
        try:
            boot = _BOOT_ID.read_text("ascii").strip()
            return Uptime(boot, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)
        except (OSError, AttributeError):
            return Uptime("", time.monotonic_ns() // 1_000_000)
