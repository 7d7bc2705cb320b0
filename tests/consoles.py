"""The console in a test: the real application on a store whose clock stands still, driven by a pilot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from textual.pilot import Pilot
from textual.widgets import Input

from screens.header import Header
from store.store import Store
from tests.stores import PASSWORD, StillClock, add_account, make_store, sign_in
from tui.app import GatekeyApp
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.opening import Options
from tui.widgets.dialog import Dialog

SIZE = (80, 24)


@dataclass
class Stage:
    """One running console."""

    app: GatekeyApp
    pilot: Pilot[None]
    store: Store
    clock: StillClock

    async def press(self, *keys: str) -> None:
        """Press keys and wait until everything they started has ended."""
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type into the focused field, all at once."""
        focused = self.app.focused
        assert isinstance(focused, Input), focused
        focused.insert_text_at_cursor(text)
        await self.settle()

    async def fill(self, control: str, text: str) -> None:
        """Put `text` into the field of that id, in place of what was there."""
        field = self.app.screen.query_one(f"#{control}", Input)
        field.value = text
        await self.settle()

    async def click(self, selector: str) -> None:
        """Press the button that `selector` finds, as a click would."""
        self.app.screen.query_one(selector).focus()
        await self.press("enter")

    async def settle(self) -> None:
        """Wait until no worker but one that waits for a dialog is running, and everything is drawn."""
        for _ in range(400):
            await self.pilot.pause()
            if not self._busy():
                break
        await self.pilot.pause()

    def _busy(self) -> bool:
        from textual.screen import ModalScreen

        from screens.account_modal import AccountModal

        waiting = sum(isinstance(screen, AccountModal | ModalScreen) for screen in self.app.screen_stack)
        running = [worker for worker in self.app.workers if worker.is_running]
        return len(running) > waiting

    def text(self) -> str:
        """What the screen shows, row by row."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def says(self, sentence: str) -> bool:
        """Whether `sentence` can be read, however it is wrapped."""
        words = " ".join(self._top_text().replace("│", " ").split())
        return " ".join(sentence.split()) in words

    def _top_text(self) -> str:
        """The text of the dialog, without what shows beside it; or of the whole screen."""
        lines = self.text().split("\n")
        dialogs = [dialog for dialog in self.app.screen.query(Dialog) if not dialog.has_class("-bare")]
        if not dialogs:
            return "\n".join(lines)
        region = dialogs[0].region
        return "\n".join(line[region.x : region.right] for line in lines[region.y : region.bottom])


@asynccontextmanager
async def console(
    store: Store | None = None,
    *,
    signed_in: bool = True,
    name: str = "alice",
    size: tuple[int, int] = SIZE,
    theme: str | None = None,
) -> AsyncIterator[Stage]:
    """The console of an account on `store`, or of a new one with the account `alice`."""
    if store is None:
        store = make_store()
        add_account(store, name)
    clock = store.context.clock
    assert isinstance(clock, StillClock)
    token = sign_in(store, name) if signed_in else ""
    account = LocalAccount(Options(), opened=store, token=token)
    app = GatekeyApp(account, ConsoleConfig(theme=theme))
    async with app.run_test(size=size, notifications=True) as pilot:
        stage = Stage(app, pilot, store, clock)
        await stage.settle()
        if signed_in:
            assert app.screen.query_one(Header).summary is not None
        yield stage


__all__ = ["PASSWORD", "SIZE", "Stage", "console"]
