"""The machine's clock: aware time, and an uptime that says where it cannot be compared."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from store import clock
from store.clock import SystemClock, Uptime


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def test_the_time_is_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_the_uptime_counts_from_this_start_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boot_id = tmp_path / "boot_id"
    boot_id.write_text("5c0ffee5-0000-4000-8000-000000000001\n", "ascii")
    monkeypatch.setattr(clock, "_BOOT_ID", boot_id)
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    asked: list[int] = []

    def read(which: int) -> int:
        asked.append(which)
        return 90_061_001_999_999

    monkeypatch.setattr(time, "clock_gettime_ns", read)
    assert SystemClock().uptime() == Uptime("5c0ffee5-0000-4000-8000-000000000001", 90_061_001)
    assert asked == [7], "another clock of the kernel stands still while the machine sleeps"


def test_without_the_kernels_id_uptimes_cannot_be_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "missing")
    before = monotonic_ms()
    found = SystemClock().uptime()
    assert found.boot == ""
    assert before <= found.milliseconds <= monotonic_ms()


def test_without_that_clock_uptimes_cannot_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    before = monotonic_ms()
    found = SystemClock().uptime()
    assert found.boot == ""
    assert before <= found.milliseconds <= monotonic_ms()
