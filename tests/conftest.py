"""What every test stands on: a terminal that does not blink and an environment that never differs."""

import os
import time
from collections.abc import Iterator

import pytest
from textual.widgets import Input

from tui import key_order

STRANGERS = ("NO_COLOR", "COLORTERM", "FORCE_COLOR", "TMUX")
"""Variables of the person running the tests that would change what is drawn."""

FAMILIES = ("TEXTUAL", "GATEKEY")
"""Prefixes of such variables."""

SNAPSHOTS = "TEXTUAL_SNAPSHOT"
"""Variables that the snapshot plugin sets for itself."""


@pytest.fixture(autouse=True)
def still_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cursor that blinks makes two pictures of one screen."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _self: None)


@pytest.fixture(autouse=True)
def patient_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine at work on other things is slow, not broken: keys wait longer for a dialog that is on its way."""
    monkeypatch.setattr(key_order, "_LOOKS_OF_A_HOLD", 3000)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of the person running the tests reaches them, and every clock shows UTC."""
    for name in list(os.environ):
        if name in STRANGERS or (name.startswith(FAMILIES) and not name.startswith(SNAPSHOTS)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    time.tzset()


@pytest.fixture
def anyio_backend() -> str:
    """Tests marked `anyio` run on asyncio, as Textual does."""
    return "asyncio"
