"""A console whose account takes its time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from screens.app import GatekeyApp
from store.store import Store
from tests.harness.consoles import SIZE, Stage
from tests.harness.stores import sign_in, still_clock, store_with_account
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options


class SlowAccount(LocalAccount):
    """Answers what is named in `slow` only after `answers` was set."""

    def __init__(self, store: Store, name: str, *slow: str) -> None:
        super().__init__(Options(), opened=store, token=sign_in(store, name))
        self.answers = asyncio.Event()
        self.slow = set(slow)
        self.asked: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        attribute = super().__getattribute__(name)
        if name.startswith("_") or name in {"slow", "answers", "asked", "answer"} or name not in self.slow:
            return attribute

        async def later(*arguments: Any) -> Any:
            self.asked.append(name)
            await self.answers.wait()
            return await attribute(*arguments)

        return later

    async def answer(self, stage: Stage) -> None:
        """Answer, and wait until the console has dealt with it."""
        self.answers.set()
        await stage.settle()


@asynccontextmanager
async def slow_console(
    *slow: str, store: Store | None = None, name: str = "alice"
) -> AsyncIterator[tuple[Stage, SlowAccount]]:
    """A console whose account has not answered yet, and shows its first page."""
    if store is None:
        store = store_with_account(name)
    account = SlowAccount(store, name, *slow)
    clock = still_clock(store)
    app = GatekeyApp(account, ConsoleConfig())
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        stage = Stage(app, pilot, store, clock)
        await stage.until(lambda: app.screen_stack and app.screen.query("#settings-tabs") and app.focused)
        yield stage, account
