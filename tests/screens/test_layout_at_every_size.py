"""At every size, on every tab, page and dialog: no cut label, no text over text, no button outside its box."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from screens.console import Console
from store.store import Store
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage, console
from tests.harness.layout import faults
from tests.harness.stores import make_store
from tests.snapshots.scenes import busy_store, passkey_store, ssh_key_store

SAMPLE = [(60, 20), (80, 24), (100, 34), (140, 50)]
EVERY = [(width, height) for height in (20, 24, 34, 50) for width in range(60, 201)]
STORES = {"busy": busy_store, "passkeys": passkey_store, "ssh keys": ssh_key_store, "nobody": make_store}
PLACES: dict[str, tuple[str, str]] = {
    **{f"tab {number}": ("busy", str(number)) for number in range(1, 7)},
    **{f"a setting of tab {number}": ("busy", f"{number} down") for number in range(1, 7)},
    **{f"module {name}": ("busy", name) for name in ("playground", "overview", "api-keys", "usage-logs", "wallet")},
    "module task-logs": ("busy", "task-logs"),
    "module drawing-logs": ("busy", "drawing-logs"),
    "module, new API key": ("busy", "api-keys n"),
    "module, edit API key": ("busy", "api-keys enter"),
    "module, rotate API key": ("busy", "api-keys o"),
    "module, use API key": ("busy", "api-keys y"),
    "module, log entry": ("busy", "usage-logs enter"),
    "module, log export": ("busy", "usage-logs e"),
    "module, prices": ("busy", "wallet p"),
    "module, redeem": ("busy", "wallet r"),
    "module, ledger entry": ("busy", "wallet enter"),
    "module, ledger export": ("busy", "wallet e"),
    "module, playground model": ("busy", "playground escape m"),
    "module, playground payer": ("busy", "playground escape a"),
    "module, playground options": ("busy", "playground escape o"),
    "change password": ("busy", "p"),
    "SSH key": ("busy", "h"),
    "unsaved edits": ("busy", "5 down space ctrl+q"),
    "passkeys": ("passkeys", "y"),
    "ssh keys": ("ssh keys", "h"),
    "add ssh key": ("ssh keys", "h n"),
    "two-factor setup": ("busy", "f"),
    "codes": ("busy", "f enter"),
    "token question": ("busy", "t"),
    "token": ("busy", "t y"),
    "sessions": ("busy", "s"),
    "activity": ("busy", "a"),
    "export": ("busy", "e"),
    "delete": ("busy", "x"),
    "recommendations": ("busy", "r"),
    "help": ("busy", "question_mark"),
    "palette": ("busy", "ctrl+p"),
    "lock": ("busy", "ctrl+l"),
    "drawer": ("busy", "f2"),
    "sign in": ("busy", "signed out"),
    "first run": ("nobody", "signed out"),
}


@asynccontextmanager
async def at(place: str) -> AsyncIterator[Stage]:
    name, steps = PLACES[place]
    store: Store = STORES[name]()
    async with console(store, signed_in=steps != "signed out") as stage:
        if place.startswith("module"):
            assert isinstance(stage.app.screen, Console)
            module, *keys = steps.split()
            await open_module(stage, module)
            for key in keys:
                await stage.press(key)
        elif steps != "signed out":
            await stage.press(*steps.split())
        yield stage


async def look_at(place: str, sizes: list[tuple[int, int]]) -> dict[str, list[str]]:
    """The faults of a place, with the sizes that have each."""
    found: dict[str, list[str]] = {}
    async with at(place) as stage:
        for width, height in sizes:
            await stage.pilot.resize_terminal(width, height)
            await stage.pilot.pause()
            for fault in faults(stage.app):
                found.setdefault(fault, []).append(f"{width}x{height}")
    return found


@pytest.mark.parametrize("place", PLACES)
async def test_nothing_is_cut_or_covered(place: str) -> None:
    # The dialogs of the modules are many, and are drawn by the same parts.
    assert await look_at(place, SAMPLE[::2] if place.startswith("module,") else SAMPLE) == {}


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
async def test_nothing_is_cut_or_covered_at_any_size(place: str) -> None:
    assert await look_at(place, EVERY) == {}
