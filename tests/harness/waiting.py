"""Waiting for a state that only a look can tell."""

import time
from collections.abc import Callable
from typing import Any, Final

PATIENCE: Final = 90.0
"""Seconds: a machine at work on other things is slow, not broken."""
_INTERVAL_S: Final = 0.02


def wait_until(condition: Callable[[], Any], patience: float = PATIENCE) -> None:
    """Return once `condition()` is true. Fails the test after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{patience} s passed"
        time.sleep(_INTERVAL_S)
