"""Passkeys. A ceremony (WebAuthn level 3) runs in a browser, and the console waits for its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.passkeys import CeremonyStarted, CeremonyState
    from store.values.sign_in import SecondFactorNeeded


@dataclass(frozen=True, slots=True)
class PasskeyPage:
    """The address of the page that runs a ceremony, and the code to type there."""

    url: str
    complete_url: str
    """The address with the code in it, for the QR code."""
    started: CeremonyStarted
    """The code, its expiry, and the handle of the ceremony, which screens do not show."""


class PasskeyService(Protocol):
    """Registers, uses, renames and removes passkeys. `SecurityOverview` lists them."""

    async def begin_passkey_registration(self, label: str) -> PasskeyPage:
        """Begin to register a passkey. Needs a fresh proof.

        Raises `PasskeysDisabled`, `InvalidLabel` (also for one in use), `LimitReached`, and the session errors.
        """
        ...

    async def has_passkey(self) -> bool:
        """Tell whether there is a passkey, where `no_passkey_ceremony` says so, while a browser registers one.

        Raises `NotAllowed` (a child of it) and the session errors, which a registration may end the session with.
        """
        ...

    async def begin_passkey_proof(self) -> PasskeyPage:
        """Begin to prove the person's identity. Raises `PasskeysDisabled` and the session errors."""
        ...

    async def begin_passkey_sign_in(self) -> PasskeyPage:
        """Begin a sign-in; the passkey tells the account. It needs no session.

        Raises `PasskeysDisabled`, `TooManyAttempts`, and the data errors.
        """
        ...

    async def passkey_outcome(self, page: PasskeyPage) -> CeremonyState:
        """The state of a ceremony, without waiting; `EXPIRED` for one that is unknown.

        Raises `PasskeyRefused` with the reason once it failed, and the data errors.
        """
        ...

    async def finish_passkey_sign_in(self, page: PasskeyPage) -> SecondFactorNeeded | None:
        """Open a session for a ceremony that is `DONE`, once; returns None, or the step that `enter_code` completes.

        Raises `SignInExpired`, `AccountSuspended`, `PasskeysDisabled`, and the data errors.
        """
        ...

    async def cancel_passkey(self, page: PasskeyPage) -> None:
        """Discard a ceremony, if there still is one. Raises the data errors."""
        ...

    async def rename_passkey(self, passkey_id: int, label: str) -> None:
        """Rename a passkey. Needs a fresh proof.

        Raises `InvalidLabel` (also for one in use), `NoSuchItem`, and the session errors.
        """
        ...

    async def remove_passkey(self, passkey_id: int) -> None:
        """Remove a passkey, and end every other session. Needs a fresh proof.

        Raises `NoSuchItem`, `LastCredential` if no other credential could sign in, and the session errors.
        """
        ...
