"""The session of this console, and the account's other sessions."""

from __future__ import annotations

from typing import Protocol


class SessionService(Protocol):
    """Ends, locks and unlocks sessions. `SecurityOverview` lists them."""

    async def sign_out(self) -> None:
        """End the session of this console; without one, do nothing.

        Raises the data errors. This console has no session then, either, and the next call tries again to end it.
        """
        ...

    async def lock(self) -> None:
        """Lock the session: until a proof unlocks it, other calls raise `SessionLocked`. Raises the data errors."""
        ...

    async def prove_with_password(self, password: str) -> None:
        """Prove the person's identity; it also unlocks the session.

        Raises `WrongOriginalPassword`, `TooManyAttempts`, `FactorDisabled`, and the session errors but
        `SessionLocked`.
        """
        ...

    async def prove_with_code(self, code: str) -> None:
        """Prove the person's identity with an authenticator code or a backup code; it also unlocks the session.

        Raises `WrongCode`, `CodeAlreadyUsed`, `ClockSkewed`, `TooManyAttempts`, `FactorDisabled`, `NotEnabled`
        without a second factor, and the session errors but `SessionLocked`.
        """
        ...

    async def sign_out_others(self) -> int:
        """End every other session of the account; returns how many. Raises the session errors."""
        ...

    async def revoke_session(self, session_id: int) -> None:
        """End one other session. Raises `NoSuchItem` if it has ended, and the session errors."""
        ...
