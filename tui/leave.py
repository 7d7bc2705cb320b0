"""LeaveMixin: quit and sign out, after pending requests were answered and unsaved edits were asked about."""

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
        """The members of the application that this mixin uses."""

        account: AccountService
        _input: InputQueue

        @property
        def is_signed_in(self) -> bool: ...
        @property
        def lock_screen(self) -> Screen[bool] | None: ...
        def show_sign_in(self, sentence: str = "") -> None: ...

else:
    # At run time a mixin has no base of its own, because it stands before the class it joins.
    AppPart = object

ANSWER_TIMEOUT_S: Final = 6.0
"""Seconds that leaving waits for pending requests: longer than the store waits for a busy database."""
DIALOG_DELAY_S: Final = 0.02
"""Seconds between an answer and the dialog that shows it."""
LEAVE_GROUP: Final = "leaving"
"""The group of the workers that end the session or the console."""


class LeaveMixin(AppPart):
    """Mix into the application, before it."""

    ends_process = False
    """True if the process ends with the application."""
    has_left = False
    """True once the session is signed out and the data closed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pending = 0
        self._answered = asyncio.Event()
        self._answered.set()
        self._is_leaving = False
        """The session is being ended, so its failures are expected."""
        self._is_asking = False
        """A question about unsaved edits is open."""

    @contextmanager
    def pending_request(self) -> Iterator[None]:
        """Wraps a request to the account. Leaving waits for its answer, which may be a secret that is shown once."""
        self._pending += 1
        self._answered.clear()
        try:
            yield
        finally:
            self._pending -= 1
            if not self._pending:
                self._answered.set()

    def session_ended(self, error: GatekeyError | None = None) -> None:
        """Show the sign-in screen with the reason why the session has ended. Does nothing if no session is left."""
        if self._is_leaving or not self.is_signed_in:
            return
        # A password typed ahead for a dialog would be typed into the name field, in plain sight.
        self._input.drop()
        self.show_sign_in(str(error or SessionEnded()))

    async def action_quit(self) -> None:
        # A second press would put a second question over the first, and nobody would wait for that one.
        if not any(worker.group == LEAVE_GROUP and worker.is_running for worker in self.workers):
            steps: WorkType[None] = self.ask_and_leave
            self.run_worker(steps, group=LEAVE_GROUP, exclusive=True)

    async def ask_and_leave(self) -> None:
        """Ask about unsaved edits, then end the console. Call it in a worker."""
        if await self.confirm_leave():
            await self.leave()

    @work(exclusive=True, group=LEAVE_GROUP)
    async def action_sign_out(self) -> None:
        if self.is_signed_in and await self.confirm_leave():
            await self.end_session()

    async def end_session(self) -> None:
        """Sign out, and show the sign-in screen even if the database does not answer. Call it in a worker."""
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
            await asyncio.wait_for(self._answered.wait(), ANSWER_TIMEOUT_S)
        # The dialog that shows the answer opens now, and `confirm_leave` asks about it.
        await asyncio.sleep(DIALOG_DELAY_S)

    async def confirm_leave(self) -> bool:
        """Ask about unsaved edits on every screen, from the top; returns whether to leave. Call it in a worker."""
        await self._until_answered()
        for screen in reversed(self.screen_stack):
            ask = getattr(screen, "confirm_leave", None)
            if ask is not None and not await self._ask(ask):
                return False
            if screen is self.lock_screen:
                break  # it has asked for the screens that it covers
        return True

    def cancel_leave(self) -> None:
        """Cancel leaving if its question is open: the screens, and the question with them, are being replaced."""
        if self._is_asking:
            self.workers.cancel_group(self, LEAVE_GROUP)

    async def _ask(self, question: Callable[[], Awaitable[bool]]) -> bool:
        self._is_asking = True
        try:
            return await question()
        finally:
            self._is_asking = False

    async def leave(self) -> None:
        """Sign out, close the data and end."""
        self._is_leaving = True
        for step in (self.account.sign_out, self.account.close):
            try:
                await step()
            except GatekeyError as error:
                self.log(f"leaving: {error.title}")
        self.has_left = True
        self.exit()

    @property
    def is_over(self) -> bool:
        """True if what is in memory is needed no more, and the end of the process is all that is left to do."""
        return self.ends_process and self.has_left

    async def _close_all(self) -> None:
        # Textual takes each widget apart, which is three quarters of the work between the key and the prompt (8.2.8).
        if not self.is_over:
            # A worker that went on meanwhile would look for widgets that are gone.
            self.workers.cancel_all()
            await super()._close_all()
