"""Identities at other providers, bound to the account or used to sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.values.bindings import BindingInfo, ProviderInfo
    from store.values.sign_in import SecondFactorNeeded


@dataclass(frozen=True, slots=True)
class BoundEmail:
    """The e-mail address of an account that binds it by a code."""

    address: str
    """Empty if none is bound."""
    limit: str = ""
    """The reason why no other can be bound from here; empty if one can."""


@dataclass(frozen=True, slots=True)
class BindingOverview:
    """The contents of the Account Binding tab."""

    enabled: bool
    """True if the administrator allows binding."""
    bindings: tuple[BindingInfo, ...]
    """One for each provider, by name, bound or not."""
    email: BoundEmail | None = None
    """None where an administrator enters the address."""


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
class BrowserLogin:
    """A sign-in at a provider's page, which ends at an address that the person pastes."""

    provider: ProviderInfo
    url: str = field(repr=False)


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

    async def begin_browser_login(self, slug: str) -> BrowserLogin:
        """Begin to bind an identity by an address, where `no_device_login` says so. It replaces one that was begun.

        Raises `NoSuchItem`, `NotAllowed` (a child of it), and the session errors.
        """
        ...

    async def bind_by_address(self, login: BrowserLogin, landed_at: str) -> None:
        """Bind the identity, with the address at which the browser has ended.

        Raises `InvalidUrl` with field `address`, `IdentityRefused`, `SignInExpired` for one that another has
        replaced, `NotAllowed`, and the session errors.
        """
        ...

    async def send_email_code(self, address: str) -> None:
        """Send a code to an address that is to be bound. Raises `InvalidEmail`, `NotAllowed`, and the session errors.

        A server may refuse with `ServerRefused`.
        """
        ...

    async def bind_email(self, address: str, code: str) -> None:
        """Bind an address with its code. Raises `InvalidEmail`, `WrongCode`, `NotAllowed`, and the session errors."""
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
