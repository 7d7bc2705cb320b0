"""Identity providers, and identities bound to an account."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class ProviderKind(StrEnum):
    """The protocols that a provider may speak."""

    OIDC = "oidc"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A provider that the administrator has added. Only the gateway gets `client_secret`."""

    id: int
    slug: str
    name: str
    kind: ProviderKind
    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)


class BindingInfo(NamedTuple):
    """One provider, and the account's bound identity there, if any."""

    provider: ProviderInfo
    binding_id: int | None
    """None if no identity is bound."""
    display: str
    bound_at: datetime | None
    last_used_at: datetime | None
    limit: str = ""
    """The reason why it cannot be bound or unbound from here; empty if it can."""
