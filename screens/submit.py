"""Forms that send one thing at a time."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from textual.reactive import reactive

from screens.account_actions import AccountActions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator


class SubmitOnce(AccountActions):
    """Mix into a screen or a dialog, before it: while something is sent, nothing else is."""

    busy: reactive[bool] = reactive(False, toggle_class="-busy", bindings=True)
    """True if something is being sent."""

    def submit(self, steps: Callable[[], Awaitable[None]]) -> None:
        """Run `steps` in a worker, unless something is being sent."""
        if not self.busy:
            self.busy = True
            self.run_worker(partial(self._submit, steps), group="submit", exclusive=True)

    async def _submit(self, steps: Callable[[], Awaitable[None]]) -> None:
        with self.being_busy():
            await steps()

    @contextmanager
    def being_busy(self) -> Iterator[None]:
        self.busy = True
        try:
            yield
        finally:
            self.busy = False
