"""The password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.strength import Strength


class PasswordService(Protocol):
    """Judges a new password, and changes the account's."""

    async def estimate_password(self, password: str, *known_words: str) -> Strength:
        """An estimate of how hard a password is to guess for somebody who knows `known_words`. Raises nothing."""
        ...

    async def minimum_password_length(self) -> int:
        """The characters that a new password needs: of the account, or of the first one without a session.

        Raises the session errors.
        """
        ...

    async def check_new_password(self, password: str, *known_words: str) -> None:
        """Check a new password against the site's rules. With a session, `known_words` are the account's own.

        Raises `PasswordTooShort`, `PasswordTooLong`, `PasswordTooWeak`, another `PasswordRefused`, and the session
        errors.
        """
        ...

    async def change_password(self, original: str, new: str, confirmation: str) -> None:
        """Change the password, and end every other session. `original` is the proof of identity.

        An account without a password needs a fresh proof instead. Raises `PasswordsDoNotMatch`, `PasswordTooShort`,
        `PasswordTooLong`, `PasswordTooWeak`, another `PasswordRefused`, `WrongOriginalPassword` and
        `SameAsOldPassword`, each with its `field`; also `TooManyAttempts`, `FactorDisabled`, `StaleEdit` if another
        console changed it meanwhile, and the session errors.
        """
        ...
