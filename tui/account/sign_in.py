"""Sign-in and the first account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.bindings import ProviderInfo
    from store.values.sign_in import SecondFactorNeeded, SignInNews


@dataclass(frozen=True, slots=True)
class SignUp:
    """The creation of an account by whoever wants one."""

    limit: str = ""
    """The reason why it cannot be done from here; empty if it can."""
    asks_email_code: bool = False
    """True if an e-mail address is confirmed by a code first."""


@dataclass(frozen=True, slots=True)
class SignInOptions:
    """The alternatives to a password that a sign-in screen may offer."""

    passkeys: bool
    providers: tuple[ProviderInfo, ...]
    """Identity providers, by name."""
    sign_up: SignUp | None = None
    """None where an administrator creates accounts."""


class SignInService(Protocol):
    """Signs in with a password, and with the second factor whatever the first one was. None of it needs a session."""

    @property
    def sign_in_notice(self) -> str:
        """A sentence on what the person should change after this sign-in, such as a short password; or "".

        Raises nothing.
        """
        ...

    @property
    def sign_in_news(self) -> SignInNews | None:
        """The sign-in before the one of this session, and what it used up; None if nothing is known of it.

        Raises nothing.
        """
        ...

    async def sign_in_options(self) -> SignInOptions:
        """The alternatives to a password that the administrator allows. Raises the data errors."""
        ...

    async def create_account(self, name: str, email: str, password: str) -> None:
        """Create the first account and sign in to it.

        Raises `InvalidName`, `InvalidEmail`, `PasswordRefused` (a child of it), `NameTaken` if anybody has an account
        already, `TooManyAttempts`, and the data errors.
        """
        ...

    async def send_sign_up_code(self, email: str) -> None:
        """Send a code to the address of an account that is to be created, where `asks_email_code` says so.

        Raises `InvalidEmail`, `NotAllowed`, and the data errors. A server may refuse with `ServerRefused`.
        """
        ...

    async def sign_up(self, name: str, password: str, email: str = "", code: str = "") -> None:
        """Create an account, without signing in to it.

        Raises `InvalidName`, `PasswordRefused` (a child of it), each with its `field`, `NotAllowed`, and the data
        errors. A server may refuse with `ServerRefused`.
        """
        ...

    async def sign_in(self, name: str, password: str) -> SecondFactorNeeded | None:
        """Sign in with a password; returns None if that opened a session, or the step that `enter_code` completes.

        Raises `WrongCredentials`, `TooManyAttempts`, `FactorDisabled`, `AccountSuspended` (only for the right
        password), and the data errors.
        """
        ...

    async def enter_code(self, step: SecondFactorNeeded, code: str) -> None:
        """Complete a sign-in with an authenticator code or a backup code. `step` stays usable after a wrong one.

        Raises `WrongCode`, `CodeAlreadyUsed`, `ClockSkewed`, `SignInExpired`, `TooManyAttempts`, `FactorDisabled`,
        `NotEnabled` if the second factor was removed meanwhile, and the data errors.
        """
        ...
