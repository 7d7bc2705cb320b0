"""Writes the pictures of README: `python docs/pictures.py`. A test compares them.

Each is a picture of the demo, whose clock stands still and whose randomness is seeded.
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from screens.app import GatekeyApp
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.local_account.demo import ShiftedClock, open_demo
from tui.store_location import Options
from tui.themes import DARK

if TYPE_CHECKING:
    from textual.pilot import Pilot

FOLDER: Final = Path(__file__).with_name("pictures")
NOW: Final = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SIZE: Final = (100, 30)
PICTURES: Final = {
    "security": ("down", "down", "down"),
    "notifications": ("3", "down"),
    "two-factor": ("f",),
    "overview": ("ctrl+p", *"open overview", "enter"),
}
"""The keys that lead to each picture."""
_LOOKS: Final = 3
"""Times in a row that nothing may be under way, because an act can start another."""


class StandingClock(ShiftedClock):
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW - self.shift


async def draw(keys: tuple[str, ...]) -> str:
    """The picture after `keys`, as SVG."""
    store, token = open_demo(StandingClock(), random.Random(11))  # noqa: S311 - a picture has no secrets
    app = GatekeyApp(LocalAccount(Options(), opened=store, token=token), ConsoleConfig(theme=DARK))
    async with app.run_test(size=SIZE) as pilot:
        await _settle(pilot)
        for key in keys:
            await pilot.press("space" if key == " " else key)
            await _settle(pilot)
        picture = app.export_screenshot(title="gatekey")
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


async def _settle(pilot: Pilot[None]) -> None:
    """Wait until no worker but one that waits for a dialog is running."""
    quiet = 0
    while quiet < _LOOKS:
        await pilot.pause()
        callbacks = [call for screen in pilot.app.screen_stack for call in screen._result_callbacks]  # noqa: SLF001
        waiting = sum(call.future is not None for call in callbacks)
        running = sum(worker.is_running for worker in pilot.app.workers)
        quiet = quiet + 1 if running <= waiting else 0


def pictures() -> dict[str, str]:
    """Every picture by its name."""

    async def all_of_them() -> dict[str, str]:
        return {name: await draw(keys) for name, keys in PICTURES.items()}

    return asyncio.run(all_of_them())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, picture in pictures().items():
        (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")
