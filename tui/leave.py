"""LeaveMixin: with a question where something would be lost, after what is under way was answered, and once."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from textual import work
from textual.app import App

from store.errors import GatekeyError, SessionEnded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from textual.screen import Screen
    from textual.worker import WorkType

    from tui.account import AccountService
    from tui.input_queue import InputQueue

    class AppPart(App[Any]):
        """What the application has that this mixin joins."""

        account: AccountService
        _input: InputQueue

        @property
        def is_signed_in(self) -> bool: ...
        @property
        def lock_screen(self) -> Screen[bool] | None: ...
        def show_sign_in(self, sentence: str = "") -> None: ...

else:
    # A mixin stands before the class it joins, so at run time it has no base of its own.
    AppPart = object

ANSWERED_WITHIN: Final = 6.0
"""Seconds that leaving waits for what was asked of the account: longer than a busy database is waited for."""
OPENS_WITHIN: Final = 0.02
"""Seconds from an answer to the dialog that shows it."""
LEAVING: Final = "leaving"
"""The group of the workers that end the session or the console."""


class LeaveMixin(AppPart):
    """Mix into the application, before it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._asked = 0
        self._answered = asyncio.Event()
        self._answered.set()
        self._is_leaving = False
        """The session is being ended: what fails of it now is no news."""
        self._is_questioned = False
        """A question is open whether one may leave."""

    @contextmanager
    def pending_request(self) -> Iterator[None]:
        """Around what is asked of the account: one does not leave before the answer, which may be shown once."""
        self._asked += 1
        self._answered.clear()
        try:
            yield
        finally:
            self._asked -= 1
            if not self._asked:
                self._answered.set()

    def session_ended(self, error: GatekeyError | None = None) -> None:
        """The session is gone: back to the sign-in screen, with a sentence on why.

        Once for each session: what else of it fails has nothing to end any more.
        """
        if self._is_leaving or not self.is_signed_in:
            return
        # A password typed ahead of a dialog would be typed into the name, and be read there.
        self._input.drop()
        self.show_sign_in(str(error or SessionEnded()))

    async def action_quit(self) -> None:
        # Pressed again, it would put a second question over the first, which then nobody waits for.
        if not any(worker.group == LEAVING and worker.is_running for worker in self.workers):
            steps: WorkType[None] = self.ask_and_leave
            self.run_worker(steps, group=LEAVING, exclusive=True)

    async def ask_and_leave(self) -> None:
        """End the console unless the person would rather stay with unsaved edits. Call it in a worker."""
        if await self.confirm_leave():
            await self.leave()

    @work(exclusive=True, group=LEAVING)
    async def action_sign_out(self) -> None:
        if self.is_signed_in and await self.confirm_leave():
            await self.end_session()

    async def end_session(self) -> None:
        """Sign out, and show the sign-in screen whether or not the data could be told. Call it in a worker."""
        if self._is_leaving or not self.is_signed_in:
            return
        self._is_leaving, sentence = True, "You signed out."
        try:
            await self.account.sign_out()
        except GatekeyError as error:
            sentence = f"You left, but the session could not be ended: {error}"
        finally:
            self._is_leaving = False
        self.show_sign_in(sentence)

    async def _until_answered(self) -> None:
        if self._answered.is_set():
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._answered.wait(), ANSWERED_WITHIN)
        # A dialog that shows the answer opens now: it is asked about next.
        await asyncio.sleep(OPENS_WITHIN)

    async def confirm_leave(self) -> bool:
        """Ask about unsaved edits on every screen, the top one first. Call it in a worker."""
        await self._until_answered()
        for screen in reversed(self.screen_stack):
            ask = getattr(screen, "confirm_leave", None)
            if ask is not None and not await self._ask(ask):
                return False
            if screen is self.lock_screen:
                break  # it has asked for all that it covers, which nobody may see
        return True

    def forget_question(self) -> None:
        """The screens go, and with them the question whether one may leave: nobody would ever answer it."""
        if self._is_questioned:
            self.workers.cancel_group(self, LEAVING)

    async def _ask(self, question: Callable[[], Awaitable[bool]]) -> bool:
        self._is_questioned = True
        try:
            return await question()
        finally:
            self._is_questioned = False

    async def leave(self) -> None:
        """Sign out, close the data and end."""
        self._is_leaving = True
        for step in (self.account.sign_out, self.account.close):
            try:
                await step()
            except GatekeyError as error:
                self.log(f"leaving: {error.title}")
        self.exit()
