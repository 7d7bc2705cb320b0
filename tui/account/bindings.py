"""Identities at other providers, bound to the account or used to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.values.bindings import BindingInfo, ProviderInfo
    from store.values.sign_in import SecondFactorNeeded


@dataclass(frozen=True, slots=True)
class BindingOverview:
    """The contents of the Account Binding tab."""

    enabled: bool
    """True if the administrator allows binding."""
    bindings: tuple[BindingInfo, ...]
    """One for each provider, by name, bound or not."""


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """A device authorization under way (RFC 8628), as the person sees it."""

    provider: ProviderInfo
    user_code: str
    verification_uri: str
    complete_uri: str
    """The address with the code in it, for the QR code; empty if the provider gives none."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FoundIdentity:
    """An identity that the provider has verified."""

    provider: ProviderInfo
    subject: str
    """The provider's own identifier of the person. It never changes."""
    display: str
    """A name to show. It may change."""


class BindingService(Protocol):
    """Asks providers for an identity, binds and unbinds it, and signs in with it."""

    async def bindings(self) -> BindingOverview:
        """The contents of the Account Binding tab. Raises the session errors."""
        ...

    async def begin_device_login(self, slug: str) -> DeviceLogin:
        """Ask the provider `slug` for a code, in the place of a login that nobody waits for yet. It needs no session.

        Raises `BindingsDisabled`, `NoSuchItem`, `ProviderFailed`, `IdentityRefused`, `SignInExpired`,
        `AddressRefused`, and the data errors.
        """
        ...

    async def wait_for_identity(self, login: DeviceLogin, *, on_poll: Callable[[bool], None]) -> FoundIdentity:
        """Poll the provider until the person decided there; cancel the task to stop. One call per login.

        `on_poll` is called after each poll, with whether the provider could be reached. Raises `SignInExpired`,
        `IdentityRefused`, `ProviderFailed`, and `AddressRefused`.
        """
        ...

    async def bind(self, identity: FoundIdentity) -> None:
        """Bind an identity to the account, and end every other session. Needs a fresh proof.

        Raises `BindingsDisabled`, `IdentityRefused`, `NoSuchItem` if the provider was removed, `AlreadyBound`, and
        the session errors.
        """
        ...

    async def sign_in_with_identity(self, identity: FoundIdentity) -> SecondFactorNeeded | None:
        """Sign in to the account that the identity is bound to; returns None, or the step that `enter_code` completes.

        Raises `BindingsDisabled`, `IdentityRefused` if it is bound to none, `AccountSuspended`, and the data errors.
        """
        ...

    async def unbind(self, binding_id: int) -> None:
        """Remove a binding, and end every other session. Needs a fresh proof.

        Raises `NoSuchItem`, `LastCredential` if no other credential could sign in, and the session errors.
        """
        ...
