"""The credentials that open an account: a cookie, a short token with a refresh cookie, or a System Access Token."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

SESSION_COOKIE: Final = "session"
"""The cookie of the generation FEB. It goes with the header `New-Api-User`."""
REFRESH_COOKIE: Final = "new_api_refresh"
"""The cookie of the generation AUG, for two routes only."""
USER_HEADER: Final = "New-Api-User"


@dataclass(frozen=True, slots=True)
class CookieSession:
    """A session of the generation FEB."""

    user_id: int
    cookie: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"{SESSION_COOKIE}={self.cookie}", USER_HEADER: str(self.user_id)}


@dataclass(frozen=True, slots=True)
class BearerSession:
    """A session of the generation AUG. The access token lives 15 minutes; the refresh cookie is good for one use."""

    user_id: int
    session_id: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_cookie: str = field(repr=False)
    fresh_until: datetime
    """By the clock of this machine, counted from the answer."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


@dataclass(frozen=True, slots=True)
class TokenSession:
    """A System Access Token. FEB wants the id of the user with it."""

    token: str = field(repr=False)
    user_id: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        named = {} if self.user_id is None else {USER_HEADER: str(self.user_id)}
        return {"Authorization": f"Bearer {self.token}", **named}


Credential = CookieSession | BearerSession | TokenSession
