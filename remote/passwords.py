"""The password, and the rules that these servers have for it but do not tell."""

from typing import Final

from remote.calls import NEEDS_SIGN_IN, SELF_PATH, Calls
from remote.generations import KnownServer
from remote.sessions import TokenSession
from store.errors import (
    NotOnThisServer,
    PasswordRefused,
    PasswordsDoNotMatch,
    PasswordTooLong,
    PasswordTooShort,
    SameAsOldPassword,
    ServerRefused,
    WrongOriginalPassword,
)

SHORTEST: Final = 8
LONGEST: Final = 20
_TAKEN_FOR_NONE: Final = "$I_LOVE_U"
"""The server answers a change to this password with success, and changes nothing."""


class Passwords:
    """Changes the password of an account."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def change(self, original: str, new: str, confirmation: str) -> None:
        """Change the password. AUG ends every other session with it; FEB ends none.

        Raises what `check` raises, `PasswordsDoNotMatch`, `SameAsOldPassword`, `WrongOriginalPassword` (for every
        refusal: the server does not tell), each with its `field`; also `NotOnThisServer` and the session errors.
        """
        facts = await self._server.facts()
        if new != confirmation:
            raise PasswordsDoNotMatch(field="confirmation")
        check(new, field="new-password")
        if new == original:
            raise SameAsOldPassword(field="new-password")
        if isinstance(self._calls.keeper.credential, TokenSession) and not facts.is_feb:
            raise NotOnThisServer(NEEDS_SIGN_IN)
        try:
            reply = await self._calls.change("PUT", SELF_PATH, {"password": new, "original_password": original})
        except ServerRefused as error:
            raise WrongOriginalPassword(field="original-password") from error
        await self._calls.adopt_bundle(reply)


def check(password: str, *, field: str) -> None:
    """Check a new password against the rules of these servers.

    Raises `PasswordTooShort`, `PasswordTooLong`, or another `PasswordRefused`.
    """
    if len(password) < SHORTEST:
        raise PasswordTooShort(shortest=SHORTEST, field=field)
    if len(password) > LONGEST:
        raise PasswordTooLong(f"This server takes passwords of at most {LONGEST} characters.", field=field)
    if password == _TAKEN_FOR_NONE:
        raise PasswordRefused("This server would report success for this password, and change nothing.", field=field)
