"""The session of a console. Worker threads open and end it, and none stays open that no console holds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.values.sign_in import SecondFactorNeeded, SignedIn, SignInNews


class HeldSession:
    """Holds the token of one session, or none. `enter` and `end` block."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        """Empty without a session."""
        self._required_length = 0
        """The characters that the site asks of a password, if the one given at the sign-in has fewer; else 0."""
        self.news: SignInNews | None = None
        """News for the person: the sign-ins before, and what this one used up."""
        self._not_ended: list[str] = []
        """Tokens of sessions to end. One stays here if the database did not answer; the next `end` tries again."""
        self._lock = threading.Lock()

    def enter(self, sign_in: Callable[[], SignedIn | SecondFactorNeeded]) -> SecondFactorNeeded | None:
        """Sign in and hold the session, or return the second step of the sign-in. Raises what `sign_in` raises.

        The thread that opened the session holds it, because the task that waited may be cancelled. `end` waits for
        the thread.
        """
        from store.values.sign_in import SecondFactorNeeded

        with self._lock:
            answer = sign_in()
            if isinstance(answer, SecondFactorNeeded):
                return answer
            self._release()
            self.token, self._required_length = answer.token, answer.required_length
            return None

    def end(self, end: Callable[[str], None]) -> None:
        """Release the session, and end it with `end`. Raises what `end` raises; the next call tries again.

        Other calls find no session from now on, whether or not the database answers.
        """
        with self._lock:
            self._release()
            while self._not_ended:
                end(self._not_ended[-1])
                self._not_ended.pop()

    @property
    def notice(self) -> str:
        """A sentence on what the person should change, or ""."""
        if not self._required_length:
            return ""
        return (
            f"Your password has fewer than {self._required_length} characters, which this site asks for without a "
            "second factor. Change it, or enable two-factor authentication."
        )

    def clear_notice(self) -> None:
        """Forget the notice: the person has acted on it."""
        self._required_length = 0

    @property
    def is_empty(self) -> bool:
        """True if there is no session to end, and none that is being opened."""
        return not (self.token or self._not_ended or self._lock.locked())

    def _release(self) -> None:
        if self.token:
            self._not_ended.append(self.token)
            self.token, self.news = "", None
