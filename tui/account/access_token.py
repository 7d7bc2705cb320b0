"""The System Access Token. `SecurityOverview` says whether there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from store.values.access_token import NewAccessToken


class AccessTokenService(Protocol):
    """Makes the token, and revokes it."""

    async def generate_access_token(self) -> NewAccessToken:
        """Make a token in the place of the old one, which is refused from now on. It is returned this once.

        Needs a fresh proof. Raises the session errors.
        """
        ...

    async def revoke_access_token(self) -> None:
        """Revoke the token: it is refused from now on.

        Needs a fresh proof. Raises `NotEnabled` without a token, and the session errors.
        """
        ...
