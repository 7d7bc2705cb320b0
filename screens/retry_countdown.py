"""The seconds until something that was tried too often may be tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import reactive

from screens.account_actions import AccountActions
from screens.account_modal import Notice

if TYPE_CHECKING:
    from textual.timer import Timer


class RetryCountdown(AccountActions):
    """Mix into a screen with a `Notice`, before it. The notice counts the seconds down."""

    wait_seconds: reactive[int] = reactive(0, init=False)
    """Seconds until a locked sign-in may be tried again."""
    _countdown: Timer | None = None

    def watch_wait_seconds(self, seconds: int) -> None:
        if seconds and self._countdown is None:
            self._countdown = self.set_interval(1, self._count_down)
        if not seconds and self._countdown is not None:
            self._countdown.stop()
            self._countdown = None
        for notice in self.query(Notice):  # none while the screen closes
            if seconds:
                notice.say(f"Too many attempts. Try again in {seconds // 60}:{seconds % 60:02d}.")
            else:
                notice.say("You can try again now.", "muted")

    def _count_down(self) -> None:
        self.wait_seconds = max(0, self.wait_seconds - 1)
