"""How a screen asks the account for something, and what it does when the answer is no."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypeVar

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
    # A mixin stands before the widget it joins, so at run time it is no widget of its own.
    AccountPart = WorkWhileShown

T = TypeVar("T")
_STEPS: Final = "steps"


@dataclass(frozen=True, slots=True)
class Success(Generic[T]):
    """An action was carried out; this is what it returned."""

    value: T


class AccountActions(AccountPart):
    """Mix into a screen or a pane, before it."""

    app = getters.app(Host)

    @property
    def account(self) -> AccountService:
        return self.app.account

    async def run_with_reauth(
        self, action: Callable[[], Awaitable[T]], *, holds_input: bool = False
    ) -> Success[T] | None:
        """Carry out `action`; None if it was refused or given up, and then the person knows why.

        Asks for a fresh proof, or to unlock, as often as the account asks, and tries again. What came of it while
        the console was being locked is handed on when it is unlocked: no dialog opens over the lock. With
        `holds_input`, what is typed meanwhile waits for what comes of it. Call it in a worker.
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
                self.show_failure(error)
                return None

    def run_exclusive(self, steps: Callable[[], Coroutine[None, None, None]]) -> None:
        """Walk `steps`, with their dialogs, in a worker; nothing if others are still under way here.

        Those are not cancelled: what the account was asked for is done all the same, and may be a secret that is
        shown once.
        """
        under_way = (worker for worker in self.workers if worker.node is self and worker.group == _STEPS)
        if not any(worker.is_running for worker in under_way):
            self.run_worker(partial(_walk, steps), group=_STEPS)

    def show_failure(self, error: GatekeyError) -> None:
        """Tell the person. A form shows it at the field instead."""
        self.app.notify(sanitize(error), title=sanitize(error.title), severity="error", markup=False, timeout=8)


async def _walk(steps: Callable[[], Coroutine[None, None, None]]) -> None:
    """A worker that never begins must leave no coroutine behind, so that it makes its own."""
    await steps()
