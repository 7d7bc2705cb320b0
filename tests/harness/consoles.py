"""The console in a test: the real application on a store whose clock stands still, driven by a pilot."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from time import monotonic
from typing import Final

from textual._wait import wait_for_idle
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Input
from textual.widgets._toast import Toast

from screens.app import GatekeyApp
from screens.title_bar import TitleBar
from store.store import Store
from store.values.drawer import FetchPlace
from tests.harness.idle import draw, pumps_at_work, workers_at_work
from tests.harness.stores import PASSWORD, StillClock, sign_in, still_clock, store_with_account
from tui.keymap import ConsoleConfig
from tui.local_account import LocalAccount
from tui.store_location import Options
from tui.widgets.dialog import Dialog

SIZE = (80, 24)
PATIENCE: Final = 60.0
"""Seconds for whatever is waited for: a machine at work on other things is slow, not broken."""
LEFT_UNDER_WAY_S: Final = 2.0
"""Seconds for workers that may be meant to go on."""
LOOK_EVERY: Final = 0.01
_FRAME: Final = str.maketrans(dict.fromkeys("│▌", " "))
"""Frames and markers beside text."""


@dataclass
class Stage:
    """One running console."""

    app: GatekeyApp
    pilot: Pilot[None]
    _store: Store | None
    clock: StillClock

    @property
    def store(self) -> Store:
        """The store that the account is in. An account on a server is in none."""
        assert self._store is not None
        return self._store

    async def press(self, *keys: str) -> None:
        """Press keys and wait until everything they started has ended."""
        await self.app._press_keys(keys)
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

    async def enter(self, control: str, text: str) -> None:
        """`fill`, then Enter."""
        await self.fill(control, text)
        await self.press("enter")

    async def focus(self, selector: str) -> None:
        self.app.screen.query_one(selector).focus()
        await self.settle()

    async def click(self, selector: str) -> None:
        """Press the button that `selector` finds, as a click would."""
        self.app.screen.query_one(selector).focus()
        await self.press("enter")

    async def toggle(self, control: str) -> None:
        """Turn the switch of that id."""
        self.app.screen.query_one(f"#{control}").focus()
        await self.press("space")

    async def sign_in(self, name: str, password: str) -> None:
        """Fill the form of the sign-in screen and send it."""
        await self.fill("username", name)
        await self.fill("password", password)
        await self.click("#sign-in")

    async def settle(self) -> None:
        """Wait until no handler and no worker but one that waits for a dialog, a browser or a provider is under way.

        All is drawn then. A timer that is about to end, or a thread that nobody awaits, has a moment to do its work.
        Where a test leaves a worker under way on purpose, as an answer that is not complete, it is waited for briefly.
        """
        begun = monotonic()
        while True:
            await self._until_idle(begun)
            await wait_for_idle(0)
            draw(self.app)
            if not self._is_busy(begun):
                return

    async def _until_idle(self, begun: float) -> None:
        turns = 0
        while self._is_busy(begun):
            # Most of what is under way ends within some turns of the loop. A thread needs the time that a turn takes.
            await asyncio.sleep(0 if turns < 50 else 0.001)
            turns += 1
            at_work = [*pumps_at_work(self.app), *workers_at_work(self.app)]
            assert monotonic() < begun + PATIENCE, f"still at work: {at_work}"

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the console run until `condition` holds."""
        end = monotonic() + PATIENCE
        while not condition():
            assert monotonic() < end, self.text()
            await asyncio.sleep(LOOK_EVERY)

    def _is_busy(self, begun: float) -> bool:
        if self.app._exception is not None:
            return False
        workers = workers_at_work(self.app)
        is_left_under_way = len(workers) < len(self.app.screen_stack) and monotonic() > begun + LEFT_UNDER_WAY_S
        return bool(workers and not is_left_under_way) or next(pumps_at_work(self.app), None) is not None

    def text(self) -> str:
        """The screen's text, row by row."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def says(self, sentence: str) -> bool:
        """True if `sentence` can be read on the screen, however it is wrapped."""
        looked_for = " ".join(sentence.split())
        return any(looked_for in " ".join(text.translate(_FRAME).split()) for text in self._texts())

    def _texts(self) -> list[str]:
        """The text of the dialog, or of the whole screen and of the page without the sidebar; and of each toast."""
        screen = self.app.screen
        dialogs = [dialog for dialog in screen.query(Dialog) if not dialog.has_class("-bare")]
        pages = [page.region for page in screen.query("#page")]
        places = [
            *([dialogs[0].region] if dialogs else [screen.region, *pages]),
            *(toast.region for toast in screen.query(Toast)),
        ]
        return [self._text_of(place) for place in places]

    def _text_of(self, region: Region) -> str:
        lines = self.text().split("\n")
        return "\n".join(line[region.x : region.right] for line in lines[region.y : region.bottom])


@asynccontextmanager
async def console(
    store: Store | None = None,
    *,
    signed_in: bool = True,
    name: str = "alice",
    size: tuple[int, int] = SIZE,
    theme: str | None = None,
    keys: dict[str, str] | None = None,
    no_files: bool = False,
    fetch_place: FetchPlace | None = None,
    timezone: str | None = None,
    press: str = "",
) -> AsyncIterator[Stage]:
    """The console of an account on `store`, or of a new one with the account `alice`; `press` is the first key.

    With a `fetch_place` it is the console of `gatekey ssh`: nothing is written, and what is saved goes to the drawer.
    """
    with store_with_account(name) if store is None else nullcontext(store) as store:
        clock = still_clock(store)
        token = sign_in(store, name) if signed_in else ""
        options = Options(no_files=no_files or fetch_place is not None)
        account = LocalAccount(options, opened=store, token=token, fetch_place=fetch_place)
        app = GatekeyApp(account, ConsoleConfig(keys or {}, theme=theme, timezone=timezone))
        async with app.run_test(size=size, notifications=True) as pilot:
            stage = Stage(app, pilot, store, clock)
            await stage.settle()
            if signed_in:
                await stage.until(lambda: app.screen.query_one(TitleBar).summary is not None)
            if press:
                await stage.press(press)
            yield stage


__all__ = ["PASSWORD", "SIZE", "Stage", "console"]
