"""The session a console holds. It is entered and ended in worker threads, and no session is left that nobody holds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.sign_in import SecondFactorNeeded, SignedIn


class HeldSession:
    """`token` is that of the session, or empty. `enter` and `end` are blocking."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.short_of = 0
        """The characters that the site asks for and the password given at the sign-in has not; else 0."""
        self._not_ended: list[str] = []
        """What was left while the database did not answer; the next `end` tries again."""
        self._one_at_a_time = threading.Lock()

    def enter(self, sign_in: Callable[[], SignedIn | SecondFactorNeeded]) -> SecondFactorNeeded | None:
        """Sign in, and hold the session; or return the step that is still to come.

        Held here, in the thread that made it: whoever asked may be gone by now, and `end` waits for this.
        """
        from store.sign_in import SecondFactorNeeded

        with self._one_at_a_time:
            answer = sign_in()
            if isinstance(answer, SecondFactorNeeded):
                return answer
            self._put_aside()
            self.token, self.short_of = answer.token, answer.short_of
            return None

    def end(self, end: Callable[[str], None]) -> None:
        """Give up the session, and end it with `end`; what that raises is passed on, and it is tried again next time.

        Other calls find no session from now on, whether or not the database answers.
        """
        with self._one_at_a_time:
            self._put_aside()
            while self._not_ended:
                end(self._not_ended[-1])
                self._not_ended.pop()

    @property
    def notice(self) -> str:
        """What whoever signed in should change, or nothing."""
        if not self.short_of:
            return ""
        return (
            f"Your password has fewer than {self.short_of} characters, which this site asks for without a second "
            "factor. Change it, or enable two-factor authentication."
        )

    @property
    def is_none(self) -> bool:
        """Whether there is nothing to end."""
        return not (self.token or self._not_ended or self._one_at_a_time.locked())

    def _put_aside(self) -> None:
        if self.token:
            self._not_ended.append(self.token)
            self.token = ""
