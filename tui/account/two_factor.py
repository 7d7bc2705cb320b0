"""Two-factor authentication. `SecurityOverview` holds its status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.two_factor import Enrolment, TwoFactorStatus


class TwoFactorService(Protocol):
    """Enrols in three steps (begin, confirm the backup codes, complete), renews backup codes, and disables."""

    async def begin_two_factor(self) -> Enrolment:
        """Begin an enrolment, in the place of an unfinished one. Its secret and codes are returned this once.

        Needs a fresh proof. Raises `AlreadyEnabled` and the session errors.
        """
        ...

    async def confirm_codes_saved(self, code: str) -> None:
        """Confirm that the backup codes were saved, with one of them. It stays unused.

        Raises `WrongCode`, `SignInExpired` if the enrolment has expired, `TooManyAttempts`, `FactorDisabled`, and the
        session errors.
        """
        ...

    async def complete_two_factor(self, code: str) -> TwoFactorStatus:
        """Enable the second factor with a code of the authenticator, and end every other session.

        Needs a fresh proof. Raises `StepMissing` before `confirm_codes_saved`, `WrongCode`, `ClockSkewed`,
        `SignInExpired` if the enrolment has expired, `AlreadyEnabled`, `TooManyAttempts`, `FactorDisabled`, and the
        session errors.
        """
        ...

    async def cancel_two_factor(self) -> None:
        """Discard an unfinished enrolment, if there is one. Raises the session errors."""
        ...

    async def disable_two_factor(self, password: str = "") -> None:
        """Disable the second factor, and end every other session.

        Needs a fresh proof. Raises `PasswordNeeded` where the site asks more of a password without a second factor
        and `password` is empty; then `WrongOriginalPassword`, `PasswordTooShort`, `TooManyAttempts`, `FactorDisabled`
        and `StaleEdit`. Also raises `NotEnabled` and the session errors.
        """
        ...

    async def renew_backup_codes(self) -> tuple[str, ...]:
        """Make backup codes in the place of the old ones, and end every other session. They are returned this once.

        Needs a fresh proof. Raises `NotEnabled` and the session errors.
        """
        ...
