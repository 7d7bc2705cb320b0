"""AccountActions: requests of a screen to the account, with proof, unlocking and failures."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from textual import getters

from store.errors import FreshProofRequired, GatekeyError, SessionEnded, SessionLocked
from store.text import sanitize
from tui.host import Host
from tui.screen_workers import WorkWhileShown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from textual.widget import Widget

    from tui.account import AccountService

    class AccountPart(WorkWhileShown, Widget): ...

else:
    # At run time a mixin is no widget of its own, because it stands before the class it joins.
    AccountPart = WorkWhileShown

T = TypeVar("T")
_EXCLUSIVE_GROUP: Final = "steps"


class Success(NamedTuple, Generic[T]):
    """The result of an action that was carried out."""

    value: T


class AccountActions(AccountPart):
    """Mix into a screen or a widget, before it."""

    app = getters.app(Host)

    @property
    def account(self) -> AccountService:
        return self.app.account

    async def run_with_reauth(
        self,
        action: Callable[[], Awaitable[T]],
        *,
        holds_input: bool = False,
        tell: Callable[[GatekeyError], None] | None = None,
    ) -> Success[T] | None:
        """Run `action`; returns None if it was refused or cancelled, after the reason was shown.

        Asks for a fresh proof or for unlocking whenever the account requires it, then runs `action` again. A result
        that arrives while the console is locked is returned after it is unlocked, so that no dialog opens over the
        lock. `holds_input` keeps keys back meanwhile. `tell` shows the reason in the place of `show_failure`. Call it
        in a worker.
        """
        while True:
            try:
                with self.app.pending_request(), self.app.hold_input() if holds_input else nullcontext():
                    await self.account.wait_until_open()
                    success = Success(await action())
                return success if await self.app.wait_for_unlock() else None
            except FreshProofRequired as error:
                if not await self.app.confirm_identity(str(error)):
                    return None
            except SessionLocked:
                if not self.app.is_locked:
                    await self.app.unlock()
                elif not await self.app.wait_for_unlock():
                    return None
            except SessionEnded as error:
                self.app.session_ended(error)
                return None
            except GatekeyError as error:
                (tell or self.show_failure)(error)
                return None

    def run_exclusive(self, steps: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run `steps`, with their dialogs, in a worker. Does nothing while earlier ones are running here.

        Earlier steps are not cancelled: the account carries out their request anyway, and its answer may be a secret
        that is shown once.
        """
        running = (worker for worker in self.workers if worker.node is self and worker.group == _EXCLUSIVE_GROUP)
        if not any(worker.is_running for worker in running):
            self.run_worker(partial(_run_steps, steps), group=_EXCLUSIVE_GROUP)

    def show_failure(self, error: GatekeyError) -> None:
        """Show `error` as a toast. Forms override this and show it at the field."""
        self.app.notify(sanitize(error), title=sanitize(error.title), severity="error", markup=False, timeout=8)


async def _run_steps(steps: Callable[[], Coroutine[None, None, None]]) -> None:
    """Create the coroutine inside the worker: if the worker never starts, none is left that nobody awaits."""
    await steps()
